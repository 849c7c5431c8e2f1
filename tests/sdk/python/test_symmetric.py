"""AES and HMAC with keys of a Managed HSM."""

import hashlib
import hmac
import os

import pytest
from azure.core.exceptions import HttpResponseError
from azure.keyvault.keys import JsonWebKey
from azure.keyvault.keys.crypto import (
    CryptographyClient,
    EncryptionAlgorithm,
    KeyWrapAlgorithm,
    SignatureAlgorithm,
)
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

IV = bytes(range(16))
SIZES = [128, 192, 256]


@pytest.fixture(scope="module", params=SIZES)
def known(request, hsm):
    """A key in the HSM, and its bytes: what the service does can be done again here."""
    secret = os.urandom(request.param // 8)
    operations = ["encrypt", "decrypt", "wrapKey", "unwrapKey"]
    jwk = JsonWebKey(kty="oct-HSM", k=secret, key_ops=operations)
    return hsm.import_key(f"aes-{request.param}", jwk), secret


def size(known):
    return 8 * len(known[1])


def test_cbc(known, remote, control):
    key, secret = known
    client, algorithm = remote(key), EncryptionAlgorithm(f"A{size(known)}CBC")
    plaintext = b"whole blocks of 16 bytes each..."
    with control.asked("encrypt", "decrypt"):
        encrypted = client.encrypt(algorithm, plaintext, iv=IV)
        decrypted = client.decrypt(algorithm, encrypted.ciphertext, iv=encrypted.iv)
    aes = Cipher(algorithms.AES(secret), modes.CBC(IV)).encryptor()
    assert encrypted.ciphertext == aes.update(plaintext) + aes.finalize()
    assert decrypted.plaintext == plaintext


def test_cbc_with_padding(known, remote, control):
    key, secret = known
    client, algorithm = remote(key), EncryptionAlgorithm(f"A{size(known)}CBCPAD")
    with control.asked("encrypt", "decrypt"):
        encrypted = client.encrypt(algorithm, b"plaintext", iv=IV)
        decrypted = client.decrypt(algorithm, encrypted.ciphertext, iv=encrypted.iv)
    pad, aes = padding.PKCS7(128).padder(), Cipher(algorithms.AES(secret), modes.CBC(IV))
    padded, aes = pad.update(b"plaintext") + pad.finalize(), aes.encryptor()
    assert encrypted.ciphertext == aes.update(padded) + aes.finalize()
    assert decrypted.plaintext == b"plaintext"


@pytest.mark.parametrize("aad", [None, b"additional"], ids=["bare", "with data"])
def test_gcm(known, remote, control, aad):
    key, _ = known
    client, algorithm = remote(key), EncryptionAlgorithm(f"A{size(known)}GCM")
    with control.asked("encrypt", "decrypt"):
        encrypted = client.encrypt(algorithm, b"plaintext", additional_authenticated_data=aad)
        parts = {"iv": encrypted.iv, "authentication_tag": encrypted.tag}
        decrypted = client.decrypt(
            algorithm, encrypted.ciphertext, additional_authenticated_data=aad, **parts
        )
    assert decrypted.plaintext == b"plaintext"
    assert encrypted.aad == aad
    with pytest.raises(HttpResponseError) as refused:
        client.decrypt(
            algorithm, encrypted.ciphertext, additional_authenticated_data=b"other", **parts
        )
    assert refused.value.status_code == 400


def test_key_wrap(known, remote, control):
    key, secret = known
    client, algorithm = remote(key), KeyWrapAlgorithm(f"A{size(known)}KW")
    with control.asked("wrapKey", "unwrapKey"):
        wrapped = client.wrap_key(algorithm, 32 * b"\x07")
        unwrapped = client.unwrap_key(algorithm, wrapped.encrypted_key)
    assert wrapped.encrypted_key == aes_key_wrap(secret, 32 * b"\x07")
    assert unwrapped.key == 32 * b"\x07"


def test_key_wrap_by_client_and_service(known, remote, control):
    key, secret = known
    algorithm = KeyWrapAlgorithm(f"A{size(known)}KW")
    jwk = {"kty": "oct", "k": secret, "key_ops": ["wrapKey", "unwrapKey"]}
    with CryptographyClient.from_jwk(jwk) as client, control.asked("unwrapKey"):
        wrapped = client.wrap_key(algorithm, 32 * b"\x07").encrypted_key
        assert remote(key).unwrap_key(algorithm, wrapped).key == 32 * b"\x07"


@pytest.mark.parametrize(
    "algorithm", [name for name in SignatureAlgorithm if name.value.startswith("HS")]
)
def test_hmac(hsm, remote, control, name, algorithm):
    secret, hash = os.urandom(32), f"sha{algorithm.value[2:]}"
    jwk = JsonWebKey(kty="oct-HSM", k=secret, key_ops=["sign", "verify"])
    client = remote(hsm.import_key(name, jwk))
    digest = hashlib.new(hash, b"message").digest()
    with control.asked("sign", "verify", "verify"):
        signature = client.sign(algorithm, digest).signature
        assert client.verify(algorithm, digest, signature).is_valid
        assert not client.verify(algorithm, digest[::-1], signature).is_valid
    assert signature == hmac.digest(secret, digest, hash)
