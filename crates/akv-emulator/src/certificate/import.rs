//! Certificates that come with their private key: PKCS#12, or PEM text.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use p12_keystore::Pkcs12Archive;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject as _};
use serde_json::Value;
use x509_cert::{Certificate as X509, der::Decode as _};
use zeroize::Zeroizing;

use super::Certificate;
use crate::{
    error::ApiError,
    keys::{Curve, KeyMaterial, KeySpec},
};

/// A certificate with its key, as it was imported.
pub(crate) struct Imported {
    pub(crate) certificate: Certificate,
    pub(crate) material: KeyMaterial,
    /// Seconds since the Unix epoch.
    pub(crate) not_before: i64,
    pub(crate) expires: i64,
}

impl Imported {
    /// Reads the `value` and `pwd` of a request.
    pub(crate) fn read(body: &Value) -> Result<Self, ApiError> {
        let value = body["value"].as_str().ok_or_else(|| ApiError::invalid_value("value"))?;
        let refused = || {
            ApiError::bad_parameter(
                "The specified PKCS#12 X.509 certificate content can not be read. Please check \
                 if certificate is in valid PKCS#12 format.",
            )
        };
        let parts = match value.starts_with("-----BEGIN") {
            true => pem(value.as_bytes()),
            false => pkcs12(value, body["pwd"].as_str().unwrap_or_default()),
        };
        parts.and_then(|(key, leaf)| Self::new(&key, &leaf)).ok_or_else(refused)
    }

    fn new(key: &[u8], leaf: &[u8]) -> Option<Self> {
        // An RSA key says itself how long it is.
        let material = [KeySpec::Rsa(2048)]
            .into_iter()
            .chain(Curve::ALL.map(KeySpec::Ec))
            .find_map(|spec| KeyMaterial::from_secret(spec, key))?;
        let parsed = X509::from_der(leaf).ok()?;
        let validity = parsed.tbs_certificate().validity();
        let seconds =
            |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).ok();
        Some(Self {
            certificate: Certificate {
                cer: STANDARD.encode(leaf),
                subject: parsed.tbs_certificate().subject().to_string(),
                pending: None,
            },
            material,
            not_before: seconds(validity.not_before)?,
            expires: seconds(validity.not_after)?,
        })
    }
}

/// PKCS#8, and the first certificate.
type Parts = (Zeroizing<Vec<u8>>, Vec<u8>);

fn pem(text: &[u8]) -> Option<Parts> {
    let key = PrivatePkcs8KeyDer::from_pem_slice(text).ok()?;
    let leaf = CertificateDer::from_pem_slice(text).ok()?;
    Some((Zeroizing::new(key.secret_pkcs8_der().to_vec()), leaf.to_vec()))
}

fn pkcs12(value: &str, password: &str) -> Option<Parts> {
    let archive = Pkcs12Archive::from_pkcs12(&STANDARD.decode(value).ok()?, password).ok()?;
    let key = archive.keys.first()?.key.as_der().to_vec();
    Some((Zeroizing::new(key), archive.certs.first()?.cert.as_der().to_vec()))
}
