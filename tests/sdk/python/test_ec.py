"""ECDSA on all curves, verified by the service and by the client with the public key."""

import hashlib

import pytest
from azure.keyvault.keys import KeyCurveName
from azure.keyvault.keys.crypto import SignatureAlgorithm

ALGORITHMS = {
    KeyCurveName.p_256: (SignatureAlgorithm.es256, "sha256"),
    KeyCurveName.p_256_k: (SignatureAlgorithm.es256_k, "sha256"),
    KeyCurveName.p_384: (SignatureAlgorithm.es384, "sha384"),
    KeyCurveName.p_521: (SignatureAlgorithm.es512, "sha512"),
}


@pytest.fixture(params=KeyCurveName)
def signing(request, service, name):
    algorithm, hash = ALGORITHMS[request.param]
    key = service.create_ec_key(name, curve=request.param)
    return key, algorithm, hashlib.new(hash, b"message").digest()


def test_verifying_by_the_client(signing, remote, local, control):
    key, algorithm, digest = signing
    with control.asked("sign"):
        signature = remote(key).sign(algorithm, digest).signature
        assert local(key).verify(algorithm, digest, signature).is_valid
        assert not local(key).verify(algorithm, digest[::-1], signature).is_valid


def test_verifying_by_the_service(signing, remote, control):
    key, algorithm, digest = signing
    client = remote(key)
    with control.asked("sign", "verify", "verify"):
        signature = client.sign(algorithm, digest).signature
        assert client.verify(algorithm, digest, signature).is_valid
        assert not client.verify(algorithm, digest[::-1], signature).is_valid
