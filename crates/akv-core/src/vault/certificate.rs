//! Certificates of a vault's keys: the leaf only.
//!
//! The chain is only in the secret of the same name, together with the private key. That secret is
//! never read.

use std::sync::Arc;

use azure_security_keyvault_certificates::models::CertificateClientGetCertificateOptions;
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use der::{AnyRef, Decode as _, Tag, Tagged as _};
use serde::Deserialize;

use crate::{
    Error, ErrorKind, KeyReference, Result, VaultKind,
    key::{is_version, key_name},
    outside,
    session::{Kind, Session, VaultClient},
    transport::{Failure, failure, invalid_response},
};

/// The service writes padding; there is no reason to require it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One version of a certificate in a vault. Its key has the same name and version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    reference: KeyReference,
    der: Vec<u8>,
}

/// The members of a response that are read.
#[derive(Deserialize)]
struct Wire {
    id: Option<String>,
    cer: Option<String>,
}

impl Certificate {
    /// A reference to this version, which also opens the certificate's key.
    pub fn reference(&self) -> &KeyReference {
        &self.reference
    }

    /// The certificate in DER (X.509), as returned by the vault. Its content is not verified.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Parses a response, which must be about the certificate that `reference` names.
    fn read(body: &[u8], reference: &KeyReference) -> Result<Self, String> {
        let wire: Wire = outside::json(body)?;
        let id = wire.id.ok_or("it contains no identifier")?;
        let (name, version) = id
            .split_once("/certificates/")
            .and_then(|(_, path)| path.split_once('/'))
            .filter(|(_, version)| is_version(version))
            .ok_or("the certificate's identifier has no name and version")?;
        if !reference.key_name().is_some_and(|requested| requested.eq_ignore_ascii_case(name)) {
            return Err("it is for another certificate".to_owned());
        }
        let pinned = reference.pinned(version);
        if reference.version().is_some_and(|requested| pinned.version() != Some(requested)) {
            return Err("it is for another version of the certificate".to_owned());
        }
        let text = wire.cer.ok_or("it contains no certificate")?;
        let der = BASE64.decode(text).map_err(|_| "the certificate is not base64")?;
        // The content is for the caller to parse. This only detects a response without a
        // certificate.
        match AnyRef::from_der(&der) {
            Ok(any) if any.tag() == Tag::Sequence => Ok(Self { reference: pinned, der }),
            _ => Err("the certificate is not DER".to_owned()),
        }
    }
}

/// Requests a certificate.
pub(crate) async fn certificate(
    session: &Session,
    reference: &KeyReference,
) -> Result<Certificate> {
    let during = || format!("load the certificate {reference}");
    if reference.kind() == VaultKind::ManagedHsm {
        return Err(Error::new(ErrorKind::Unsupported, "a Managed HSM has no certificates")
            .hint("load the certificate from a file or a vault")
            .during(during()));
    }
    let name = key_name(reference).map_err(|error| error.during(during()))?;
    let owned = (reference.clone(), name.to_owned());
    let attempt = move |vault| {
        let (reference, name) = owned.clone();
        async move { get(vault, &reference, &name).await }
    };
    let certificate = session.read(reference, Kind::GetCertificate, attempt).await;
    certificate.map_err(|error| advise(error).during(during()))
}

/// One attempt to get a certificate.
async fn get(
    vault: Arc<VaultClient>,
    reference: &KeyReference,
    name: &str,
) -> Result<Certificate, Failure> {
    let options = CertificateClientGetCertificateOptions {
        certificate_version: reference.version().map(str::to_owned),
        ..CertificateClientGetCertificateOptions::default()
    };
    let answer = vault
        .certificates
        .get_certificate(name, Some(options))
        .await
        .map_err(|error| failure(error, reference, &vault.host))?;
    Certificate::read(answer.body().as_ref(), reference)
        .map_err(|why| invalid_response(&vault.host, &why))
}

/// Parses a response.
#[cfg(test)]
pub(crate) fn read_answer(body: &[u8], reference: &KeyReference) -> Result<Certificate, String> {
    Certificate::read(body, reference)
}

/// Keys and certificates have different roles.
fn advise(error: Error) -> Error {
    match (error.status(), error.code()) {
        (Some(403), Some("ForbiddenByPolicy")) => error
            .hint("grant the identity the certificate permission get in the vault's access policy"),
        (Some(403), Some("ForbiddenByFirewall" | "ForbiddenByConnection")) => error,
        (Some(403), _) => error.hint("assign the role Key Vault Reader to the identity"),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: &str = "0123456789abcdef0123456789abcdef";

    fn read(reference: &str, id: &str, cer: &str) -> Result<Certificate, String> {
        let body =
            format!(r#"{{"id":"https://v.vault.azure.net/certificates/{id}","cer":"{cer}"}}"#);
        Certificate::read(body.as_bytes(), &reference.parse().unwrap())
    }

    #[test]
    fn a_response_must_match_the_request() {
        let whole = format!("web/{VERSION}");
        let certificate = read("vault:myVault:Web", &whole, "MAA=").unwrap();
        assert_eq!(certificate.der(), [0x30, 0]);
        assert_eq!(certificate.reference().version(), Some(VERSION));
        assert!(read(&format!("vault:myVault:web:{VERSION}"), &whole, "MAA").is_ok());
        let other = format!("vault:myVault:web:{}", VERSION.replace('0', "1"));
        for (reference, id, cer, why) in [
            ("vault:myVault:mail", whole.as_str(), "MAA=", "another certificate"),
            (&other, &whole, "MAA=", "another version"),
            ("vault:myVault:web", "web", "MAA=", "no name and version"),
            ("vault:myVault:web", &whole, "%", "not base64"),
            ("vault:myVault:web", &whole, "AgEA", "not DER"),
            ("vault:myVault:web", &whole, "MAAA", "not DER"),
            ("vault:myVault:web", &whole, "", "not DER"),
        ] {
            assert!(read(reference, id, cer).unwrap_err().contains(why), "{why}");
        }
        let web = "vault:myVault:web".parse().unwrap();
        for body in ["", "[]", "{}", r#"{"id":7}"#] {
            assert!(Certificate::read(body.as_bytes(), &web).is_err(), "{body}");
        }
    }
}
