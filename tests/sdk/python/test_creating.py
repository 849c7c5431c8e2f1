"""Making keys of every type, size and curve."""

from datetime import datetime, timedelta, timezone

import pytest
from azure.keyvault.keys import KeyCurveName, KeyOperation, KeyType

COORDINATES = {
    KeyCurveName.p_256: 32,
    KeyCurveName.p_256_k: 32,
    KeyCurveName.p_384: 48,
    KeyCurveName.p_521: 66,
}


@pytest.mark.parametrize("size", [2048, 3072, 4096])
@pytest.mark.parametrize("hardware", [False, True], ids=["software", "hardware"])
def test_rsa_in_a_vault(vault, name, size, hardware):
    key = vault.create_rsa_key(name, size=size, hardware_protected=hardware)
    assert key.key_type == (KeyType.rsa_hsm if hardware else KeyType.rsa)
    assert int.from_bytes(key.key.n, "big").bit_length() == size
    assert int.from_bytes(key.key.e, "big") == 65537
    assert set(key.key_operations) == {
        KeyOperation.encrypt,
        KeyOperation.decrypt,
        KeyOperation.sign,
        KeyOperation.verify,
        KeyOperation.wrap_key,
        KeyOperation.unwrap_key,
    }


@pytest.mark.parametrize("size", [2048, 3072, 4096])
def test_rsa_in_a_managed_hsm(hsm, name, size):
    key = hsm.create_rsa_key(name, size=size)
    assert key.key_type == KeyType.rsa_hsm
    assert int.from_bytes(key.key.n, "big").bit_length() == size


@pytest.mark.parametrize("curve", COORDINATES)
@pytest.mark.parametrize("hardware", [False, True], ids=["software", "hardware"])
def test_ec_in_a_vault(vault, name, curve, hardware):
    key = vault.create_ec_key(name, curve=curve, hardware_protected=hardware)
    assert key.key_type == (KeyType.ec_hsm if hardware else KeyType.ec)
    assert key.key.crv == curve
    assert len(key.key.x) == len(key.key.y) == COORDINATES[curve]
    assert set(key.key_operations) == {KeyOperation.sign, KeyOperation.verify}


@pytest.mark.parametrize("curve", COORDINATES)
def test_ec_in_a_managed_hsm(hsm, name, curve):
    key = hsm.create_ec_key(name, curve=curve)
    assert (key.key_type, key.key.crv) == (KeyType.ec_hsm, curve)


@pytest.mark.parametrize("size", [128, 192, 256])
def test_symmetric_in_a_managed_hsm(hsm, name, size):
    key = hsm.create_oct_key(name, size=size, hardware_protected=True)
    assert key.key_type == KeyType.oct_hsm
    assert key.key.k is None, "the key stays in the HSM"


def test_attributes_are_kept(service, name):
    now = datetime.now(timezone.utc).replace(microsecond=0)
    wanted = {
        "enabled": False,
        "not_before": now + timedelta(days=1),
        "expires_on": now + timedelta(days=2),
        "tags": {"purpose": "test", "größe": "ß"},
    }
    key = service.create_ec_key(name, key_operations=[KeyOperation.verify], **wanted)
    for known in key.properties, service.update_key_properties(name).properties:
        assert {word: getattr(known, word) for word in wanted} == wanted
    assert key.key_operations == [KeyOperation.verify]
    assert abs(key.properties.created_on - now) < timedelta(minutes=5)
    assert key.properties.updated_on == key.properties.created_on


def test_a_name_in_use_gets_a_new_version(service, name):
    old, new = service.create_ec_key(name), service.create_ec_key(name)
    assert old.properties.version != new.properties.version
    assert service.get_key(name).id == new.id
    assert service.get_key(name, old.properties.version).key.x == old.key.x
