"""New versions by the key's own policy."""

import pytest
from azure.core.exceptions import HttpResponseError
from azure.keyvault.keys import (
    KeyRotationLifetimeAction,
    KeyRotationPolicy,
    KeyRotationPolicyAction,
)


def actions(policy):
    # A Managed HSM writes the names in lower case.
    return {
        (
            KeyRotationPolicyAction(action.action),
            action.time_after_create,
            action.time_before_expiry,
        )
        for action in policy.lifetime_actions
    }


def test_a_rotated_key_is_another_of_the_same_kind(service, name):
    old = service.create_rsa_key(name, size=3072, tags={"kept": "yes"})
    new = service.rotate_key(name)
    assert new.properties.version != old.properties.version
    assert (new.key_type, len(new.key.n)) == (old.key_type, len(old.key.n))
    assert new.key.n != old.key.n
    assert new.properties.tags == {"kept": "yes"}
    assert service.get_key(name).id == new.id
    assert len(list(service.list_properties_of_key_versions(name))) == 2


def test_a_policy_is_kept(service, name):
    service.create_ec_key(name)
    rotate = KeyRotationLifetimeAction(KeyRotationPolicyAction.rotate, time_after_create="P60D")
    wanted = KeyRotationPolicy(lifetime_actions=[rotate], expires_in="P90D")
    changed = service.update_key_rotation_policy(name, wanted)
    for policy in changed, service.get_key_rotation_policy(name):
        assert policy.expires_in == "P90D"
        assert (KeyRotationPolicyAction.rotate, "P60D", None) in actions(policy)
        assert policy.created_on and policy.updated_on >= policy.created_on
        assert policy.id.endswith(f"keys/{name}/rotationpolicy")


def test_rotation_follows_the_policy(vault, name):
    vault.create_ec_key(name)
    vault.update_key_rotation_policy(name, KeyRotationPolicy(expires_in="P90D"))
    rotated = vault.rotate_key(name).properties
    assert (rotated.expires_on - rotated.created_on).days == 90


def test_a_vaults_key_starts_with_a_notification(vault, name):
    vault.create_ec_key(name)
    policy = vault.get_key_rotation_policy(name)
    assert actions(policy) == {(KeyRotationPolicyAction.notify, None, "P30D")}


@pytest.mark.parametrize(("life", "rotation"), [("P27D", "P7D"), ("P90D", "P6D")])
def test_too_short_times_are_refused(service, name, life, rotation):
    service.create_ec_key(name)
    rotate = KeyRotationLifetimeAction(KeyRotationPolicyAction.rotate, time_after_create=rotation)
    policy = KeyRotationPolicy(expires_in=life, lifetime_actions=[rotate])
    with pytest.raises(HttpResponseError) as refused:
        service.update_key_rotation_policy(name, policy)
    assert refused.value.status_code == 400
