"""The asynchronous variants of the clients, which are programs of their own."""

import asyncio
import hashlib

from azure.core.pipeline.transport import AsyncioRequestsTransport
from azure.identity.aio import ClientSecretCredential
from azure.keyvault.keys.aio import KeyClient
from azure.keyvault.keys.crypto import EncryptionAlgorithm, SignatureAlgorithm
from azure.keyvault.keys.crypto.aio import CryptographyClient

DIGEST = hashlib.sha256(b"message").digest()


async def life_of_a_key(scene, url, name):
    application = scene.application
    whom = application["tenant"], application["client"], application["secret"]
    transport = AsyncioRequestsTransport()
    async with (
        ClientSecretCredential(*whom, transport=AsyncioRequestsTransport()) as credential,
        KeyClient(url, credential, transport=transport) as keys,
    ):
        key = await keys.create_rsa_key(name)
        assert (await keys.get_key(name)).id == key.id
        assert name in [found.name async for found in keys.list_properties_of_keys()]
        async with CryptographyClient(
            key, credential, transport=AsyncioRequestsTransport()
        ) as client:
            signature = (await client.sign(SignatureAlgorithm.ps256, DIGEST)).signature
            assert (await client.verify(SignatureAlgorithm.ps256, DIGEST, signature)).is_valid
            algorithm = EncryptionAlgorithm.rsa_oaep_256
            encrypted = await client.encrypt(algorithm, b"plaintext")
            decrypted = await client.decrypt(algorithm, encrypted.ciphertext)
            assert decrypted.plaintext == b"plaintext"
        assert (await keys.delete_key(name)).name == name
        assert (await keys.recover_deleted_key(name)).id == key.id


def test_the_life_of_a_key(scene, service, name):
    asyncio.run(life_of_a_key(scene, service.vault_url, name))
