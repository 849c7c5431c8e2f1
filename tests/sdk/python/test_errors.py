"""Errors of the service as the client tells them."""

import hashlib
from datetime import datetime, timedelta, timezone

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.keyvault.keys import KeyOperation
from azure.keyvault.keys.crypto import EncryptionAlgorithm, SignatureAlgorithm

DIGEST = hashlib.sha256(b"message").digest()


def refusal(error):
    """Status, code and inner code."""
    inner = error.value.error.innererror or {}
    return error.value.status_code, error.value.error.code, inner.get("code")


def test_an_unknown_key(service, name):
    with pytest.raises(ResourceNotFoundError) as refused:
        service.get_key(name)
    assert refusal(refused) == (404, "KeyNotFound", None)
    assert name in refused.value.message


def test_an_unknown_version(service, name):
    service.create_ec_key(name)
    with pytest.raises(ResourceNotFoundError) as refused:
        service.get_key(name, 32 * "0")
    assert refused.value.error.code == "KeyNotFound"


def test_a_bad_name(service):
    with pytest.raises(HttpResponseError) as refused:
        service.create_ec_key("under_score")
    assert refusal(refused) == (400, "BadParameter", None)


def test_a_symmetric_key_in_a_vault(vault, name):
    with pytest.raises(HttpResponseError) as refused:
        vault.create_oct_key(name)
    assert refused.value.status_code == 400


def test_a_size_that_there_is_not(service, name):
    with pytest.raises(HttpResponseError) as refused:
        service.create_rsa_key(name, size=1024)
    assert refused.value.status_code == 400


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("forbidden", "ForbiddenByPolicy"),
        ("forbiddenByRole", "ForbiddenByRbac"),
        ("forbiddenByFirewall", "ForbiddenByFirewall"),
    ],
)
def test_forbidden(vault, control, name, fault, reason):
    control.fault(kind=fault, operation="createKey")
    with pytest.raises(HttpResponseError) as refused:
        vault.create_ec_key(name)
    assert refusal(refused) == (403, "Forbidden", reason)


def test_a_refused_token(vault, control, name):
    control.fault(kind="unauthorized", operation="createKey", times=2)
    with pytest.raises(ClientAuthenticationError) as refused:
        vault.create_ec_key(name)
    assert refused.value.status_code == 401


def test_throttling_is_waited_out(service, control, name):
    control.fault(kind="status", status=429, retryAfter=1, operation="createKey")
    with control.asked("createKey", "createKey"):
        assert service.create_ec_key(name).name == name


def test_an_outage_is_waited_out(service, control, name):
    control.fault(kind="status", status=503, operation="createKey")
    with control.asked("createKey", "createKey"):
        assert service.create_ec_key(name).name == name


def test_a_disabled_key(vault, remote, name):
    key = vault.create_ec_key(name, enabled=False)
    with pytest.raises(HttpResponseError) as refused:
        remote(key).sign(SignatureAlgorithm.es256, DIGEST)
    assert refusal(refused) == (403, "Forbidden", "KeyDisabled")


@pytest.mark.parametrize(
    ("start", "end"), [(1, 2), (-2, -1)], ids=["before its time", "after its time"]
)
def test_a_key_out_of_its_time(vault, remote, name, start, end):
    now = datetime.now(timezone.utc)
    window = {
        "not_before": now + timedelta(hours=start),
        "expires_on": now + timedelta(hours=end),
    }
    key = vault.create_ec_key(name, **window)
    with pytest.raises(HttpResponseError) as refused:
        remote(key).sign(SignatureAlgorithm.es256, DIGEST)
    assert refusal(refused)[:2] == (403, "Forbidden")


def test_an_operation_that_the_key_is_not_for(vault, remote, name):
    key = vault.create_rsa_key(name, key_operations=[KeyOperation.sign])
    with pytest.raises(HttpResponseError) as refused:
        remote(key).decrypt(EncryptionAlgorithm.rsa_oaep, bytes(256))
    assert refusal(refused) == (403, "Forbidden", "KeyOperationForbidden")


def test_an_algorithm_that_the_key_is_not_for(service, remote, name):
    key = service.create_ec_key(name)
    with pytest.raises(HttpResponseError) as refused:
        remote(key).sign(SignatureAlgorithm.rs256, DIGEST)
    assert refusal(refused) == (400, "BadParameter", None)


def test_a_digest_of_another_length(service, remote, name):
    key = service.create_ec_key(name)
    with pytest.raises(HttpResponseError) as refused:
        remote(key).sign(SignatureAlgorithm.es256, DIGEST + b"!")
    assert refusal(refused) == (400, "BadParameter", None)


def test_something_that_nobody_encrypted(service, remote, name):
    key = service.create_rsa_key(name)
    with pytest.raises(HttpResponseError) as refused:
        remote(key).decrypt(EncryptionAlgorithm.rsa_oaep_256, 256 * b"\x01")
    assert refusal(refused) == (400, "BadParameter", None)
