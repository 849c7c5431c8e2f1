//! Certificates and requests, checked with the `openssl` program.

use std::time::Duration;

use akv_core::{
    ErrorKind,
    SignatureAlgorithm::{self, *},
    x509::{Signature, x509_cert},
};
use akv_emulator::{Curve, Fault, FaultKind, NewKey, Operation};
use der::{Encode as _, EncodePem as _, pem::LineEnding};
use x509_cert::{
    builder::{AsyncBuilder, Builder as _, CertificateBuilder, profile},
    name::Name,
    request::RequestBuilder,
    serial_number::SerialNumber,
    time::Validity,
};

use super::{SelfSigned, Vault, builder, self_signed};
use crate::openssl::Openssl;

const KEYS: [(&str, &[SignatureAlgorithm]); 5] = [
    ("rsa", &[Rs256, Rs384, Rs512, Ps256, Ps384, Ps512]),
    ("p256", &[Es256]),
    ("p256k", &[Es256K]),
    ("p384", &[Es384]),
    ("p521", &[Es512]),
];

fn vault() -> Vault {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    for (name, curve) in [
        ("p256", Curve::P256),
        ("p256k", Curve::P256K),
        ("p384", Curve::P384),
        ("p521", Curve::P521),
    ] {
        vault.emulator.create_key(NewKey::ec(name, curve)).unwrap();
    }
    vault
}

#[test]
fn requests_of_every_algorithm_verify_with_openssl() {
    let (vault, openssl) = (vault(), Openssl::new());
    for (name, algorithms) in KEYS {
        let key = vault.key(&[], &format!("vault:myVault:{name}")).unwrap();
        for algorithm in algorithms {
            let subject: Name = "CN=www.example.org".parse().unwrap();
            let signer = key.x509_signer_with(*algorithm).unwrap();
            let request = RequestBuilder::new(subject).unwrap();
            let request = request.build::<_, Signature>(&signer).unwrap();
            openssl.write("request.pem", request.to_pem(LineEnding::LF).unwrap().as_bytes());
            let text = openssl.run(&["req", "-in", "request.pem", "-verify", "-noout", "-subject"]);
            let text = String::from_utf8(text).unwrap();
            assert!(text.contains("CN = www.example.org"), "{algorithm}: {text}");
        }
    }
}

#[test]
fn certificates_of_every_kind_of_key_verify_with_openssl() {
    let (vault, openssl) = (vault(), Openssl::new());
    for (name, _) in KEYS {
        let key = vault.key(&[], &format!("vault:myVault:{name}")).unwrap();
        openssl.write("certificate.der", &self_signed(&key));
        openssl.run(&["x509", "-in", "certificate.der", "-inform", "DER", "-out", "one.pem"]);
        openssl.run(&["verify", "-check_ss_sig", "-CAfile", "one.pem", "one.pem"]);
    }
}

#[test]
fn one_key_in_the_vault_certifies_another() {
    let (vault, openssl) = (vault(), Openssl::new());
    let ca = vault.key(&[], "vault:myVault:rsa").unwrap();
    let site = vault.key(&[], "vault:myVault:p256").unwrap();
    let ca_signer = ca.x509_signer_with(Ps384).unwrap();
    let name: Name = "CN=Root,O=Example,C=DE".parse().unwrap();
    let validity = Validity::from_now(Duration::from_secs(86_400)).unwrap();
    let key_info =
        |key: &akv_core::blocking::Key| spki::SubjectPublicKeyInfoOwned::from_key(key.public_key());
    let root = CertificateBuilder::new(
        profile::cabf::Root::new(false, name.clone()).unwrap(),
        SerialNumber::from(1u8),
        validity,
        key_info(&ca).unwrap(),
    );
    let root = root.unwrap().build::<_, Signature>(&ca_signer).unwrap();
    let leaf = CertificateBuilder::new(
        profile::cabf::tls::Subscriber {
            certificate_type: profile::cabf::tls::CertificateType::domain_validated(
                "CN=www.example.org".parse().unwrap(),
                vec![],
            )
            .unwrap(),
            issuer: name,
            client_auth: false,
        },
        SerialNumber::from(2u8),
        validity,
        key_info(&site).unwrap(),
    );
    let leaf = leaf.unwrap().build::<_, Signature>(&ca_signer).unwrap();
    openssl.write("root.pem", root.to_pem(LineEnding::LF).unwrap().as_bytes());
    openssl.write("leaf.pem", leaf.to_pem(LineEnding::LF).unwrap().as_bytes());
    openssl.run(&["verify", "-x509_strict", "-CAfile", "root.pem", "leaf.pem"]);
}

#[test]
fn typed_signers_work_with_the_builder_too() {
    let (vault, openssl) = (vault(), Openssl::new());
    let key = vault.key(&[], "vault:myVault:p256").unwrap();
    let signer = key.ecdsa::<p256::NistP256>().unwrap();
    let certificate = builder(&key).build::<_, p256::ecdsa::DerSignature>(&signer).unwrap();
    openssl.write("one.pem", certificate.to_pem(LineEnding::LF).unwrap().as_bytes());
    openssl.run(&["verify", "-check_ss_sig", "-CAfile", "one.pem", "one.pem"]);

    let key = vault.key(&[], "vault:myVault:rsa").unwrap();
    let signer = key.rsa_pss::<sha2::Sha256>().unwrap();
    let certificate = builder(&key).build::<_, rsa::pss::Signature>(&signer).unwrap();
    openssl.write("one.pem", certificate.to_pem(LineEnding::LF).unwrap().as_bytes());
    openssl.run(&["verify", "-check_ss_sig", "-CAfile", "one.pem", "one.pem"]);
}

#[test]
fn the_async_builder_accepts_async_keys() {
    let (vault, openssl) = (vault(), Openssl::new());
    let der = crate::run(async {
        let client = akv_core::Client::new(vault.settings(&[]));
        let key = client.key(&client.reference("vault:myVault:p384").unwrap()).await.unwrap();
        let public_key = spki::SubjectPublicKeyInfoOwned::from_key(key.public_key()).unwrap();
        let validity = Validity::from_now(Duration::from_secs(86_400)).unwrap();
        let profile = SelfSigned("CN=localhost".parse().unwrap());
        CertificateBuilder::new(profile, SerialNumber::from(7u8), validity, public_key)
            .unwrap()
            .build_async::<_, Signature>(&key.x509_signer())
            .await
            .unwrap()
            .to_der()
            .unwrap()
    });
    openssl.write("certificate.der", &der);
    openssl.run(&["x509", "-in", "certificate.der", "-inform", "DER", "-out", "one.pem"]);
    openssl.run(&["verify", "-check_ss_sig", "-CAfile", "one.pem", "one.pem"]);
}

#[test]
fn mismatches_are_refused_and_the_services_error_is_kept() {
    let vault = vault();
    let rsa = vault.key(&[], "vault:myVault:rsa").unwrap();
    for algorithm in [Es256, RsNull] {
        let error = rsa.x509_signer_with(algorithm).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument, "{error}");
    }
    vault.emulator.fault(Fault::new(FaultKind::Forbidden).on(Operation::Sign));
    let error = builder(&rsa).build::<_, Signature>(&rsa.x509_signer()).unwrap_err();
    let x509_cert::builder::Error::Signature(error) = error else { panic!("{error}") };
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.downcast_ref::<akv_core::Error>().unwrap().status(), Some(403));
}
