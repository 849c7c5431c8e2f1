"""RSA: all algorithms, by the service and by the client with the public key."""

import hashlib

import pytest
from azure.keyvault.keys.crypto import EncryptionAlgorithm, KeyWrapAlgorithm, SignatureAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

ENCRYPTION = [
    EncryptionAlgorithm.rsa1_5,
    EncryptionAlgorithm.rsa_oaep,
    EncryptionAlgorithm.rsa_oaep_256,
]
WRAPPING = [KeyWrapAlgorithm.rsa1_5, KeyWrapAlgorithm.rsa_oaep, KeyWrapAlgorithm.rsa_oaep_256]
SIGNING = [name for name in SignatureAlgorithm if name.value[:2] in ("RS", "PS")]


@pytest.fixture(scope="module", params=[2048, 3072, 4096])
def key(request, service):
    return service.create_rsa_key(f"rsa-{request.param}", size=request.param)


@pytest.mark.parametrize("algorithm", ENCRYPTION)
def test_encrypting_and_decrypting_by_the_service(key, remote, control, algorithm):
    client = remote(key)
    with control.asked("encrypt", "decrypt"):
        encrypted = client.encrypt(algorithm, b"plaintext")
        decrypted = client.decrypt(algorithm, encrypted.ciphertext)
    assert (encrypted.key_id, encrypted.algorithm) == (key.id, algorithm)
    assert decrypted.plaintext == b"plaintext"


@pytest.mark.parametrize("algorithm", ENCRYPTION)
def test_decrypting_what_the_client_encrypted(key, local, control, algorithm):
    client = local(key)
    with control.asked("decrypt"):
        ciphertext = client.encrypt(algorithm, b"plaintext").ciphertext
        assert client.decrypt(algorithm, ciphertext).plaintext == b"plaintext"


@pytest.mark.parametrize("algorithm", WRAPPING)
def test_wrapping_and_unwrapping_by_the_service(key, remote, control, algorithm):
    client = remote(key)
    with control.asked("wrapKey", "unwrapKey"):
        wrapped = client.wrap_key(algorithm, 32 * b"\x07")
        assert client.unwrap_key(algorithm, wrapped.encrypted_key).key == 32 * b"\x07"


@pytest.mark.parametrize("algorithm", WRAPPING)
def test_unwrapping_what_the_client_wrapped(key, local, control, algorithm):
    client = local(key)
    with control.asked("unwrapKey"):
        wrapped = client.wrap_key(algorithm, 32 * b"\x07")
        assert client.unwrap_key(algorithm, wrapped.encrypted_key).key == 32 * b"\x07"


@pytest.mark.parametrize("algorithm", SIGNING)
def test_signing(key, remote, local, control, algorithm):
    digest = hashlib.new(f"sha{algorithm.value[2:]}", b"message").digest()
    with control.asked("sign"):
        signature = remote(key).sign(algorithm, digest).signature
        assert local(key).verify(algorithm, digest, signature).is_valid
    assert len(signature) == len(key.key.n)


@pytest.mark.parametrize("algorithm", SIGNING)
def test_verifying_by_the_service(key, remote, control, algorithm):
    client = remote(key)
    digest = hashlib.new(f"sha{algorithm.value[2:]}", b"message").digest()
    with control.asked("sign", "verify", "verify"):
        signature = client.sign(algorithm, digest).signature
        assert client.verify(algorithm, digest, signature).is_valid
        assert not client.verify(algorithm, digest[::-1], signature).is_valid


def test_the_key_as_one_of_the_library_cryptography(service, local):
    client = local(service.create_rsa_key("rsa-interface"))
    private, public = client.create_rsa_private_key(), client.create_rsa_public_key()
    assert private.key_size == 2048
    assert private.public_key().public_numbers() == public.public_numbers()
    pkcs1, sha256 = padding.PKCS1v15(), hashes.SHA256()
    signature = private.sign(b"message", pkcs1, sha256)
    public.public_numbers().public_key().verify(signature, b"message", pkcs1, sha256)
    oaep = padding.OAEP(padding.MGF1(sha256), sha256, None)
    assert private.decrypt(public.encrypt(b"plaintext", oaep), oaep) == b"plaintext"
