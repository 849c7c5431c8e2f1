"""Backups bring back a purged key with all its versions."""

import hashlib

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.keyvault.keys.crypto import SignatureAlgorithm

DIGEST = hashlib.sha256(b"message").digest()


def purge(service, name):
    service.begin_delete_key(name).wait()
    service.purge_deleted_key(name)


def test_a_restored_key_signs_as_before(service, remote, local, name):
    old, new = service.create_ec_key(name), service.create_ec_key(name, tags={"kept": "yes"})
    backup = service.backup_key(name)
    purge(service, name)
    restored = service.restore_key_backup(backup)
    assert (restored.id, restored.properties.tags) == (new.id, {"kept": "yes"})
    assert service.get_key(name, old.properties.version).key.x == old.key.x
    signature = remote(restored).sign(SignatureAlgorithm.es256, DIGEST).signature
    assert local(new).verify(SignatureAlgorithm.es256, DIGEST, signature).is_valid


def test_a_name_in_use_is_not_restored(service, name):
    service.create_ec_key(name)
    with pytest.raises(ResourceExistsError):
        service.restore_key_backup(service.backup_key(name))


def test_something_else_is_not_restored(service):
    with pytest.raises(HttpResponseError) as refused:
        service.restore_key_backup(b"no backup")
    assert refused.value.status_code == 400


def test_an_unknown_key_has_no_backup(service, name):
    with pytest.raises(ResourceNotFoundError):
        service.backup_key(name)
