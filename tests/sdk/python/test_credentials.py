"""Every way to a token, with a vault and a Managed HSM, whose challenges the clients check."""

import contextlib

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    CertificateCredential,
    ChainedTokenCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    CredentialUnavailableError,
    DefaultAzureCredential,
    EnvironmentCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from azure.keyvault.keys import KeyClient

WAYS = {}


def way(make):
    """A credential that is to work; it is given the scene and pytest's `monkeypatch`."""
    WAYS[make.__name__.replace("_", " ")] = make
    return make


def whom(scene):
    return scene.application["tenant"], scene.application["client"]


@way
def client_secret(scene, _):
    return ClientSecretCredential(*whom(scene), scene.application["secret"])


@way
def client_certificate_in_pem(scene, _):
    return CertificateCredential(*whom(scene), scene.certificate("application", "pem"))


@way
def client_certificate_in_pkcs12(scene, _):
    file = scene.certificate("application", "pfx")
    return CertificateCredential(*whom(scene), file, password=scene.password)


@way
def client_certificate_with_its_chain(scene, _):
    file = scene.certificate("application", "pem")
    return CertificateCredential(*whom(scene), file, send_certificate_chain=True)


@way
def client_assertion(scene, _):
    with open(scene.application["federatedTokenFile"]) as file:
        token = file.read()
    return ClientAssertionCredential(*whom(scene), lambda: token)


@way
def workload_identity(scene, environment):
    environment.setenv("AZURE_TENANT_ID", scene.application["tenant"])
    environment.setenv("AZURE_CLIENT_ID", scene.application["client"])
    environment.setenv("AZURE_FEDERATED_TOKEN_FILE", scene.application["federatedTokenFile"])
    return WorkloadIdentityCredential()


@way
def managed_identity_of_a_virtual_machine(_, __):
    return ManagedIdentityCredential()


@way
def user_assigned_identity_of_a_virtual_machine(scene, _):
    return ManagedIdentityCredential(client_id=scene.application["client"])


@way
def managed_identity_in_app_service(scene, environment):
    for name, value in scene.app_service.items():
        environment.setenv(name, value)
    return ManagedIdentityCredential()


@way
def managed_identity_of_azure_arc(scene, environment):
    for name, value in scene.arc.items():
        environment.setenv(name, value)
    return ManagedIdentityCredential()


@way
def environment(scene, environment):
    environment.setenv("AZURE_TENANT_ID", scene.application["tenant"])
    environment.setenv("AZURE_CLIENT_ID", scene.application["client"])
    environment.setenv("AZURE_CLIENT_SECRET", scene.application["secret"])
    return EnvironmentCredential()


@way
def default_with_a_secret(scene, environment):
    WAYS["environment"](scene, environment)
    return DefaultAzureCredential()


@way
def default_on_a_virtual_machine(_, __):
    return DefaultAzureCredential()


@way
def a_chain(scene, _):
    return ChainedTokenCredential(EnvironmentCredential(), client_secret(scene, None))


@pytest.mark.parametrize("url", ["vault", "hsm"])
@pytest.mark.parametrize("make", WAYS.values(), ids=WAYS)
def test_a_way_to_a_token(scene, monkeypatch, name, make, url):
    with make(scene, monkeypatch) as credential:
        with KeyClient(getattr(scene, url), credential) as client:
            made = client.create_ec_key(name)
            assert client.get_key(name).id == made.id


def refused(scene, credential):
    """What a client tells when it gets no token."""
    with credential, KeyClient(scene.vault, credential) as client:
        with pytest.raises(ClientAuthenticationError) as error:
            client.get_key("any")
    return error.value.message


def test_a_wrong_secret(scene):
    message = refused(scene, ClientSecretCredential(*whom(scene), "wrong"))
    assert "AADSTS7000215" in message


def test_a_certificate_that_is_not_registered(scene):
    file = scene.certificate("rsa", "pem")
    assert "AADSTS700027" in refused(scene, CertificateCredential(*whom(scene), file))


def test_a_tenant_that_there_is_not(scene):
    client, secret = scene.application["client"], scene.application["secret"]
    other = "00000000-1111-4222-8333-444444444444"
    credential = ClientSecretCredential(
        other, client, secret, additionally_allowed_tenants=["*"]
    )
    with credential, pytest.raises(ClientAuthenticationError) as error:
        credential.get_token("https://vault.azure.net/.default")
    # The authority's metadata of that tenant is refused, AADSTS90002 behind it.
    assert "Unable to get authority configuration" in error.value.message
    assert other in error.value.message


def test_the_tenant_of_the_challenge_is_asked(scene):
    """The credential's own tenant is another: the vault's 401 tells the right one."""
    client, secret = scene.application["client"], scene.application["secret"]
    credential = ClientSecretCredential(
        "00000000-1111-4222-8333-444444444444",
        client,
        secret,
        additionally_allowed_tenants=[scene.application["tenant"]],
    )
    with credential, KeyClient(scene.vault, credential) as keys:
        assert next(iter(keys.list_properties_of_keys()), None) is not None


def test_no_identity_without_its_header(scene, monkeypatch):
    monkeypatch.setenv("IDENTITY_ENDPOINT", scene.app_service["IDENTITY_ENDPOINT"])
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    with ManagedIdentityCredential() as credential, pytest.raises(
        (ClientAuthenticationError, CredentialUnavailableError)
    ):
        credential.get_token("https://vault.azure.net/.default")


def test_a_challenge_for_another_service_is_not_answered(credential):
    """A host that is no vault must not get a vault's token unless the caller permits it."""
    with KeyClient("https://localhost", credential) as client, pytest.raises(ValueError) as error:
        next(iter(client.list_properties_of_keys()), None)
    assert "does not match the requested domain" in str(error.value)
    trusting = KeyClient("https://localhost", credential, verify_challenge_resource=False)
    with trusting as client, contextlib.suppress(StopIteration):
        next(iter(client.list_properties_of_keys()))
