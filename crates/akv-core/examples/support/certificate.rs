//! A certificate for a server whose key is in the vault.

use std::time::Duration;

use akv_core::{
    blocking::Key,
    x509::{self, x509_cert},
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

use super::support::Result;

/// A certificate for localhost, valid for a day, signed by its own key.
pub(crate) fn self_signed(key: &Key) -> Result<CertificateDer<'static>> {
    let subject: Name = "CN=localhost".parse()?;
    let mut builder = CertificateBuilder::new(
        SelfSigned(subject),
        SerialNumber::from(1u8),
        Validity::from_now(Duration::from_secs(86_400))?,
        spki::SubjectPublicKeyInfoOwned::from_key(key.public_key())?,
    )?;
    let name = GeneralName::DnsName(Ia5String::new("localhost")?);
    builder.add_extension(&SubjectAltName(vec![name]))?;
    let certificate = builder.build::<_, x509::Signature>(&key.x509_signer())?;
    Ok(CertificateDer::from(certificate.to_der()?))
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
