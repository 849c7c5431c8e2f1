"""Changing what may be changed of a key."""

from datetime import datetime, timedelta, timezone

from azure.keyvault.keys import KeyOperation


def test_attributes_and_tags(service, name):
    made = service.create_rsa_key(name, tags={"a": "1"})
    soon = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(hours=1)
    changed = service.update_key_properties(
        name,
        enabled=False,
        not_before=soon,
        expires_on=soon + timedelta(hours=1),
        tags={"b": "2"},
        key_operations=[KeyOperation.sign, KeyOperation.verify],
    )
    assert changed.id == made.id
    assert changed.properties.updated_on >= made.properties.updated_on
    assert changed.properties.created_on == made.properties.created_on
    assert not changed.properties.enabled
    assert changed.properties.not_before == soon
    assert changed.properties.expires_on == soon + timedelta(hours=1)
    assert changed.properties.tags == {"b": "2"}
    assert set(changed.key_operations) == {KeyOperation.sign, KeyOperation.verify}


def test_an_old_version(service, name):
    old, new = service.create_ec_key(name), service.create_ec_key(name)
    service.update_key_properties(name, old.properties.version, tags={"old": "yes"})
    assert service.get_key(name, old.properties.version).properties.tags == {"old": "yes"}
    assert not service.get_key(name, new.properties.version).properties.tags


def test_what_is_not_named_stays(service, name):
    service.create_ec_key(name, tags={"a": "1"}, enabled=False)
    changed = service.update_key_properties(name, enabled=True)
    assert changed.properties.enabled
    assert changed.properties.tags == {"a": "1"}
    assert not service.update_key_properties(name, tags={}).properties.tags
