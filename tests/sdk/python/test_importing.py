"""Keys that were made elsewhere."""

import hashlib
import os

import pytest
from azure.keyvault.keys import JsonWebKey, KeyType
from azure.keyvault.keys.crypto import EncryptionAlgorithm, SignatureAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

DIGEST = hashlib.sha256(b"message").digest()


def octets(number, length=None):
    return number.to_bytes(length or (number.bit_length() + 7) // 8, "big")


def rsa_key(size):
    private = rsa.generate_private_key(65537, size)
    numbers = private.private_numbers()
    public = numbers.public_numbers
    parts = {"n": public.n, "e": public.e, "d": numbers.d, "p": numbers.p, "q": numbers.q}
    parts |= {"dp": numbers.dmp1, "dq": numbers.dmq1, "qi": numbers.iqmp}
    members = {name: octets(number) for name, number in parts.items()}
    return private.public_key(), JsonWebKey(kty="RSA", **members)


@pytest.mark.parametrize("size", [2048, 3072, 4096])
def test_rsa(service, remote, name, size):
    public, key = rsa_key(size)
    imported = service.import_key(name, key)
    assert int.from_bytes(imported.key.n, "big") == public.public_numbers().n
    assert imported.key.d is None, "the private part is not told"
    signature = remote(imported).sign(SignatureAlgorithm.rs256, DIGEST).signature
    public.verify(signature, DIGEST, padding.PKCS1v15(), Prehashed(hashes.SHA256()))


@pytest.mark.parametrize(
    ("curve", "crv", "algorithm", "hash"),
    [
        (ec.SECP256R1(), "P-256", SignatureAlgorithm.es256, hashes.SHA256()),
        (ec.SECP256K1(), "P-256K", SignatureAlgorithm.es256_k, hashes.SHA256()),
        (ec.SECP384R1(), "P-384", SignatureAlgorithm.es384, hashes.SHA384()),
        (ec.SECP521R1(), "P-521", SignatureAlgorithm.es512, hashes.SHA512()),
    ],
    ids=["P-256", "P-256K", "P-384", "P-521"],
)
def test_ec(service, remote, name, curve, crv, algorithm, hash):
    private = ec.generate_private_key(curve)
    numbers = private.private_numbers()
    public, length = numbers.public_numbers, (curve.key_size + 7) // 8
    parts = {"x": public.x, "y": public.y, "d": numbers.private_value}
    members = {name: octets(number, length) for name, number in parts.items()}
    imported = service.import_key(name, JsonWebKey(kty="EC", crv=crv, **members))
    assert int.from_bytes(imported.key.x, "big") == public.x
    digest = hashlib.new(hash.name, b"message").digest()
    signature = remote(imported).sign(algorithm, digest).signature
    assert len(signature) == 2 * length
    halves = signature[:length], signature[length:]
    der = encode_dss_signature(*(int.from_bytes(half, "big") for half in halves))
    private.public_key().verify(der, digest, ec.ECDSA(Prehashed(hash)))


@pytest.mark.parametrize("size", [128, 192, 256])
def test_symmetric(hsm, remote, name, size):
    secret = os.urandom(size // 8)
    operations = ["encrypt", "decrypt"]
    key = JsonWebKey(kty="oct-HSM", k=secret, key_ops=operations)
    imported = hsm.import_key(name, key, hardware_protected=True)
    assert imported.key.k is None
    algorithm = EncryptionAlgorithm(f"A{size}GCM")
    result = remote(imported).encrypt(algorithm, b"plaintext")
    sealed = result.ciphertext + result.tag
    assert AESGCM(secret).decrypt(result.iv[:12], sealed, None) == b"plaintext"


def test_into_the_hardware_of_a_vault(vault, name):
    _, key = rsa_key(2048)
    assert vault.import_key(name, key, hardware_protected=True).key_type == KeyType.rsa_hsm
