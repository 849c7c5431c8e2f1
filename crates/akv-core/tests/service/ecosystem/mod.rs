//! Keys behind the traits and types of other crates.

mod signature;
mod tls;
mod tls_tokio;
mod x509;

use std::time::Duration;

use akv_core::{
    blocking::Key,
    x509::{Signature, x509_cert},
};
use der::{Encode as _, asn1::Ia5String};
use rustls_pki_types::CertificateDer;
use x509_cert::{
    TbsCertificate,
    builder::{Builder as _, CertificateBuilder, profile::BuilderProfile},
    ext::{
        Extension,
        pkix::{SubjectAltName, name::GeneralName},
    },
    name::Name,
    serial_number::SerialNumber,
    time::Validity,
};

use super::Vault;

/// A certificate for localhost, signed by its own key in the vault.
fn self_signed(key: &Key) -> CertificateDer<'static> {
    let name = GeneralName::DnsName(Ia5String::new("localhost").unwrap());
    let mut builder = builder(key);
    builder.add_extension(&SubjectAltName(vec![name])).unwrap();
    let certificate = builder.build::<_, Signature>(&key.x509_signer()).unwrap();
    CertificateDer::from(certificate.to_der().unwrap())
}

fn builder(key: &Key) -> CertificateBuilder<SelfSigned> {
    let validity = Validity::from_now(Duration::from_secs(86_400)).unwrap();
    let public_key = spki::SubjectPublicKeyInfoOwned::from_key(key.public_key()).unwrap();
    let profile = SelfSigned("CN=localhost".parse().unwrap());
    CertificateBuilder::new(profile, SerialNumber::from(7u8), validity, public_key).unwrap()
}

/// Issuer and subject are the same.
struct SelfSigned(Name);

impl BuilderProfile for SelfSigned {
    fn get_issuer(&self, subject: &Name) -> Name {
        subject.clone()
    }

    fn get_subject(&self) -> Name {
        self.0.clone()
    }

    fn build_extensions(
        &self,
        _subject_key: spki::SubjectPublicKeyInfoRef<'_>,
        _issuer_key: spki::SubjectPublicKeyInfoRef<'_>,
        _certificate: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        Ok(Vec::new())
    }
}
