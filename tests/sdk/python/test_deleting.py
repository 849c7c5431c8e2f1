"""Deleted keys can be had back until they are purged."""

import pytest
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError


@pytest.fixture
def deleted(service, name):
    made = service.create_ec_key(name)
    return made, service.begin_delete_key(name).result()


def test_a_deleted_key_is_gone_from_the_keys(service, name, deleted):
    made, told = deleted
    assert (told.name, told.id, told.key.x) == (name, made.id, made.key.x)
    assert told.recovery_id.endswith(f"/deletedkeys/{name}")
    assert told.deleted_date < told.scheduled_purge_date
    with pytest.raises(ResourceNotFoundError):
        service.get_key(name)
    found = service.get_deleted_key(name)
    assert (found.id, found.deleted_date) == (made.id, told.deleted_date)


def test_the_name_of_a_deleted_key_is_taken(service, name, deleted):
    with pytest.raises(ResourceExistsError) as refused:
        service.create_ec_key(name)
    assert refused.value.status_code == 409
    assert refused.value.error.code == "Conflict"
    assert refused.value.error.innererror["code"] == "ObjectIsDeletedButRecoverable"


def test_recovering(service, name, deleted):
    made, _ = deleted
    recovered = service.begin_recover_deleted_key(name).result()
    assert recovered.id == made.id
    assert service.get_key(name).key.x == made.key.x
    with pytest.raises(ResourceNotFoundError):
        service.get_deleted_key(name)


def test_purging(service, name, deleted):
    service.purge_deleted_key(name)
    for read in service.get_key, service.get_deleted_key, service.purge_deleted_key:
        with pytest.raises(ResourceNotFoundError):
            read(name)
    made, _ = deleted
    assert service.create_ec_key(name).key.x != made.key.x
