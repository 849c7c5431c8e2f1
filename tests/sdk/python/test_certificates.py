"""Certificates of a vault and their keys."""

import hashlib

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.keyvault.certificates import (
    CertificateContentType,
    CertificatePolicy,
    CertificatePolicyAction,
    KeyCurveName,
    KeyType,
    KeyUsageType,
    LifetimeAction,
)
from azure.keyvault.keys.crypto import SignatureAlgorithm
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID

DIGEST = hashlib.sha256(b"message").digest()


def policy(key_type=KeyType.rsa, **options):
    return CertificatePolicy(
        issuer_name="Self",
        subject="CN=www.example.org",
        san_dns_names=["www.example.org", "example.org"],
        key_type=key_type,
        validity_in_months=6,
        **options,
    )


@pytest.mark.parametrize("size", [2048, 3072, 4096])
def test_creating_with_an_rsa_key(certificates, name, size):
    made = certificates.begin_create_certificate(name, policy(key_size=size)).result()
    parsed = x509.load_der_x509_certificate(bytes(made.cer))
    assert parsed.public_key().key_size == size
    assert parsed.subject.rfc4514_string() == "CN=www.example.org"
    names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["www.example.org", "example.org"]
    assert made.properties.x509_thumbprint == parsed.fingerprint(hashes.SHA1())
    assert made.properties.expires_on == parsed.not_valid_after_utc
    months = (made.properties.expires_on - made.properties.not_before).days / 30.44
    assert 5.9 < months < 6.1


@pytest.mark.parametrize("curve", [KeyCurveName.p_256, KeyCurveName.p_384, KeyCurveName.p_521])
def test_creating_with_an_ec_key(certificates, name, curve):
    wanted = policy(KeyType.ec, key_curve_name=curve)
    made = certificates.begin_create_certificate(name, wanted).result()
    parsed = x509.load_der_x509_certificate(bytes(made.cer))
    assert f"P-{parsed.public_key().curve.key_size}" == curve
    assert made.policy.key_curve_name == curve


def test_reading_what_was_created(certificates, name):
    made = certificates.begin_create_certificate(name, policy(), tags={"a": "1"}).result()
    found = certificates.get_certificate(name)
    assert (found.id, found.cer, found.properties.tags) == (made.id, made.cer, {"a": "1"})
    version = certificates.get_certificate_version(name, made.properties.version)
    assert (version.id, version.cer) == (made.id, made.cer)
    known = certificates.get_certificate_policy(name)
    assert (known.issuer_name, known.subject) == ("Self", "CN=www.example.org")
    assert (known.key_type, known.key_size, known.validity_in_months) == (KeyType.rsa, 2048, 6)
    assert list(known.san_dns_names) == ["www.example.org", "example.org"]
    operation = certificates.get_certificate_operation(name)
    assert (operation.status, operation.issuer_name) == ("completed", "Self")
    assert x509.load_der_x509_csr(bytes(operation.csr)).is_signature_valid


def test_the_policy_that_was_asked_for(certificates, name):
    action = LifetimeAction(CertificatePolicyAction.email_contacts, lifetime_percentage=70)
    wanted = policy(
        content_type=CertificateContentType.pem,
        exportable=False,
        reuse_key=True,
        key_usage=[KeyUsageType.data_encipherment, KeyUsageType.key_agreement],
        enhanced_key_usage=["1.3.6.1.5.5.7.3.4"],
        lifetime_actions=[action],
    )
    made = certificates.begin_create_certificate(name, wanted).result()
    for known in made.policy, certificates.get_certificate_policy(name):
        assert known.content_type == CertificateContentType.pem
        assert (known.exportable, known.reuse_key) == (False, True)
        assert set(known.key_usage) == set(wanted.key_usage)
        assert list(known.enhanced_key_usage) == wanted.enhanced_key_usage
        [kept] = known.lifetime_actions
        assert (kept.action, kept.lifetime_percentage) == (action.action, 70)
    extensions = x509.load_der_x509_certificate(bytes(made.cer)).extensions
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.data_encipherment and usage.key_agreement and not usage.digital_signature
    purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.EMAIL_PROTECTION]


def test_listing(certificates, name):
    for number in range(3):
        wanted = policy(KeyType.ec, key_curve_name=KeyCurveName.p_256)
        certificates.begin_create_certificate(f"{name}-{number}", wanted).wait()
    listed = certificates.list_properties_of_certificates(max_page_size=2).by_page()
    pages = [list(page) for page in listed]
    assert len(pages) > 1
    names = [found.name for page in pages for found in page if found.name.startswith(name)]
    assert names == [f"{name}-{number}" for number in range(3)]


def test_listing_versions(certificates, name):
    wanted = policy(KeyType.ec, key_curve_name=KeyCurveName.p_256)
    made = {
        certificates.begin_create_certificate(name, wanted).result().properties.version
        for _ in range(2)
    }
    listed = certificates.list_properties_of_certificate_versions(name)
    assert {found.version for found in listed} == made


@pytest.mark.parametrize("form", ["pem", "pfx"])
@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_importing(certificates, vault, remote, scene, name, kind, form):
    content = scene.certificate(kind, form).read_bytes()
    if form == "pem":
        wanted = CertificatePolicy(content_type=CertificateContentType.pem)
        imported = certificates.import_certificate(name, content, policy=wanted)
    else:
        imported = certificates.import_certificate(name, content, password=scene.password)
    original = x509.load_pem_x509_certificate(scene.certificate(kind, "pem").read_bytes())
    assert x509.load_der_x509_certificate(bytes(imported.cer)) == original
    assert (imported.policy.content_type == CertificateContentType.pem) == (form == "pem")
    # The key of the certificate is the vault's now.
    key, public = vault.get_key(name), original.public_key()
    assert key.properties.managed
    if kind == "rsa":
        signature = remote(key).sign(SignatureAlgorithm.rs256, DIGEST).signature
        public.verify(signature, DIGEST, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
    else:
        signature = remote(key).sign(SignatureAlgorithm.es256, DIGEST).signature
        halves = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        der = encode_dss_signature(*halves)
        public.verify(der, DIGEST, ec.ECDSA(Prehashed(hashes.SHA256())))


def test_a_wrong_password(certificates, scene, name):
    content = scene.certificate("rsa", "pfx").read_bytes()
    with pytest.raises(HttpResponseError) as refused:
        certificates.import_certificate(name, content, password="wrong")
    assert refused.value.status_code == 400


def test_an_unknown_certificate(certificates, name):
    with pytest.raises(ResourceNotFoundError) as refused:
        certificates.get_certificate(name)
    assert refused.value.error.code == "CertificateNotFound"


def test_the_key_of_a_certificate_is_not_deleted_by_itself(certificates, vault, name):
    certificates.begin_create_certificate(name, policy()).wait()
    with pytest.raises(HttpResponseError) as refused:
        vault.begin_delete_key(name)
    assert refused.value.status_code == 403
