"""Clients, names and keys that the tests share."""

import uuid

import pytest
from azure.identity import ClientSecretCredential
from azure.keyvault.certificates import CertificateClient
from azure.keyvault.keys import KeyClient
from azure.keyvault.keys.crypto import CryptographyClient
from scene import Scene


@pytest.fixture(scope="session")
def scene():
    return Scene()


@pytest.fixture(scope="session")
def credential(scene):
    application = scene.application
    with ClientSecretCredential(
        application["tenant"], application["client"], application["secret"]
    ) as credential:
        yield credential


@pytest.fixture(scope="session")
def vault(scene, credential):
    with KeyClient(scene.vault, credential) as client:
        yield client


@pytest.fixture(scope="session")
def hsm(scene, credential):
    with KeyClient(scene.hsm, credential) as client:
        yield client


@pytest.fixture(params=["vault", "hsm"], scope="session")
def service(request):
    """The keys of a vault, then those of a Managed HSM."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def certificates(scene, credential):
    with CertificateClient(scene.vault, credential) as client:
        yield client


@pytest.fixture
def control(scene):
    yield scene.control
    scene.control.clear()


@pytest.fixture
def name():
    """A name that nothing else has."""
    return f"sdk-{uuid.uuid4()}"


@pytest.fixture
def remote(control, credential):
    """Makes clients that cannot read the key, and so leave all cryptography to the service."""

    def make(key):
        control.fault(kind="forbidden", operation="getKey")
        return CryptographyClient(key.id, credential)

    return make


@pytest.fixture
def local(credential):
    """Makes clients that have the public key, and use it where that is enough."""
    return lambda key: CryptographyClient(key, credential)
