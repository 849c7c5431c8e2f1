//! Certificates of keys.

use akv_core::ErrorKind;
use akv_emulator::{Curve, Fault, FaultKind, NewKey, Operation};
use x509_cert::{
    Certificate,
    der::{Decode as _, Encode as _},
};

use super::Vault;

fn common_name(der: &[u8]) -> String {
    Certificate::from_der(der).unwrap().tbs_certificate().subject().to_string()
}

#[test]
fn a_certificate_has_its_keys_name_and_version() {
    let vault = Vault::start();
    let first = vault.emulator.create_certificate(NewKey::rsa("web", 2048), "CN=first").unwrap();
    vault.emulator.create_certificate(NewKey::ec("web", Curve::P256), "CN=second").unwrap();
    let client = vault.client(&[]);
    let newest = client.certificate(&client.reference("vault:myVault:WEB").unwrap()).unwrap();
    assert_eq!(common_name(newest.der()), "CN=second");
    let key = client.key(newest.reference()).unwrap();
    let pinned = Certificate::from_der(newest.der()).unwrap();
    let public = akv_core::PublicKey::from_spki_der(
        &pinned.tbs_certificate().subject_public_key_info().to_der().unwrap(),
    );
    assert_eq!(public.unwrap(), *key.public_key());
    assert!(key.attributes().unwrap().managed());

    let old = client.reference(&format!("vault:myVault:web:{}", first.version)).unwrap();
    assert_eq!(common_name(client.certificate(&old).unwrap().der()), "CN=first");
}

#[test]
fn a_missing_certificate_is_reported_with_its_reason() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("bare", Curve::P256)).unwrap();
    let client = vault.client(&[]);
    for name in ["bare", "nobody"] {
        let reference = client.reference(&format!("vault:myVault:{name}")).unwrap();
        let error = client.certificate(&reference).unwrap_err();
        assert_eq!((error.status(), error.code()), (Some(404), Some("CertificateNotFound")));
        assert!(error.to_string().starts_with("cannot load the certificate vault:myVault:"));
    }
    vault.emulator.fault(Fault::new(FaultKind::Forbidden).on(Operation::GetCertificate));
    let reference = client.reference("vault:myVault:bare").unwrap();
    let error = client.certificate(&reference).unwrap_err();
    assert!(error.to_string().contains("certificate permission get"), "{error}");

    vault.emulator.reset_stats();
    for (reference, kind) in [
        ("managedHsm:myHsm:bare", ErrorKind::Unsupported),
        ("vault:myVault:", ErrorKind::Reference),
    ] {
        let error = client.certificate(&client.reference(reference).unwrap()).unwrap_err();
        assert_eq!(error.kind(), kind);
    }
    assert_eq!(vault.emulator.stats().requests, 0);
}

#[test]
fn faults_are_handled_as_for_keys() {
    let vault = Vault::start();
    vault.emulator.create_certificate(NewKey::ec("web", Curve::P256), "CN=web").unwrap();
    let client = vault.client(&[("timeout", "3s")]);
    let reference = client.reference("vault:myVault:web").unwrap();
    for kind in [
        FaultKind::NotJson,
        FaultKind::WrongShape,
        FaultKind::EmptyBody,
        FaultKind::TruncatedBody,
        FaultKind::ResetAfterRequest,
        FaultKind::Status { status: 429, retry_after: None },
        FaultKind::Status { status: 503, retry_after: None },
    ] {
        vault.emulator.fault(Fault::new(kind.clone()).on(Operation::GetCertificate));
        let certificate = client.certificate(&reference);
        assert!(certificate.is_ok(), "{kind:?}: {certificate:?}");
    }
    // A refused token is replaced once.
    vault.emulator.revoke_tokens();
    assert_eq!(client.certificate(&reference).unwrap_err().status(), Some(401));
    std::fs::write(vault.token_file.path(), vault.emulator.token()).unwrap();
    assert!(client.certificate(&reference).is_ok());

    vault.emulator.fault(Fault::new(FaultKind::Hang).forever());
    let error = client.certificate(&reference).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}
