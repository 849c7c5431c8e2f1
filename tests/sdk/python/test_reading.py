"""What the service tells of a key."""

from datetime import datetime, timedelta, timezone


def test_the_current_version_and_an_old_one(service, name):
    old = service.create_rsa_key(name, tags={"version": "old"})
    new = service.create_rsa_key(name, tags={"version": "new"})
    assert service.get_key(name).properties.tags == {"version": "new"}
    found = service.get_key(name, old.properties.version)
    assert (found.id, found.key.n) == (old.id, old.key.n)
    assert found.properties.tags == {"version": "old"}
    assert found.key.n != new.key.n


def test_the_properties(service, name):
    service.create_ec_key(name)
    properties = service.get_key(name).properties
    assert properties.name == name
    assert properties.vault_url == service.vault_url
    assert properties.id == f"{service.vault_url}/keys/{name}/{properties.version}"
    assert properties.enabled
    assert properties.not_before is properties.expires_on is None
    assert datetime.now(timezone.utc) - properties.created_on < timedelta(minutes=5)
    assert "Recoverable" in properties.recovery_level
    assert 7 <= properties.recoverable_days <= 90
    assert properties.exportable is False
    assert not properties.managed


def test_names_ignore_case(service, name):
    made = service.create_ec_key(name)
    assert service.get_key(name.upper()).key.x == made.key.x
