//! Import of certificates with their private key: PKCS#12, or PEM text.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use p12_keystore::Pkcs12Archive;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject as _};
use serde_json::{Map, Value};
use x509_cert::{Certificate as X509, der::Decode as _};
use zeroize::Zeroizing;

use super::{Certificate, select_members};
use crate::{
    error::ApiError,
    keys::{Curve, KeyMaterial, KeySpec},
};

/// Distinguishes PEM, which may begin with a comment, from PKCS#12.
const PEM: &[u8] = b"-----BEGIN";

/// An imported certificate with its key.
pub(crate) struct Imported {
    pub(crate) certificate: Certificate,
    pub(crate) material: KeyMaterial,
    /// Seconds since the Unix epoch.
    pub(crate) not_before: i64,
    pub(crate) expires: i64,
}

impl Imported {
    /// Parses the `value` and `pwd` of a request.
    pub(crate) fn read(body: &Value) -> Result<Self, ApiError> {
        let value = body["value"].as_str().ok_or_else(|| ApiError::invalid_value("value"))?;
        let refused = || {
            ApiError::bad_parameter(
                "The specified PKCS#12 X.509 certificate content can not be read. Please check \
                 if certificate is in valid PKCS#12 format.",
            )
        };
        // Clients send PEM either as text, or in base64 like PKCS#12.
        let decoded = STANDARD.decode(value).unwrap_or_else(|_| value.as_bytes().to_vec());
        let parts = match decoded.windows(PEM.len()).any(|part| part == PEM) {
            true => pem(&decoded),
            false => pkcs12(&decoded, body["pwd"].as_str().unwrap_or_default()),
        };
        let mut imported =
            parts.and_then(|(key, leaf)| Self::new(&key, &leaf)).ok_or_else(refused)?;
        imported.certificate.policy =
            select_members(&body["policy"], &["secret_props", "lifetime_actions"]);
        Ok(imported)
    }

    fn new(key: &[u8], leaf: &[u8]) -> Option<Self> {
        // An RSA key determines its own length.
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
                policy: Map::new(),
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

fn pkcs12(der: &[u8], password: &str) -> Option<Parts> {
    let archive = Pkcs12Archive::from_pkcs12(der, password).ok()?;
    let key = archive.keys.first()?.key.as_der().to_vec();
    Some((Zeroizing::new(key), archive.certs.first()?.cert.as_der().to_vec()))
}
