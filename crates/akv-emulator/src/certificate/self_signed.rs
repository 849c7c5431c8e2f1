//! Certificates that the vault creates.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::StatusCode;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512,
    PKCS_RSA_SHA256, SanType, SignatureAlgorithm,
};
use rustls_pki_types::PrivatePkcs8KeyDer;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Certificate, Pending, select_members};
use crate::{
    error::ApiError,
    keys::{Curve, KeyMaterial, KeySpec},
};

/// The default validity of a certificate.
pub(crate) const MONTHS: i64 = 12;

/// In the service, the validity of a certificate begins ten minutes in the past.
const HEAD_START: i64 = 600;

/// The content of a certificate to create.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    subject: String,
    names: Vec<String>,
    months: i64,
    /// Start of the validity, in seconds since the Unix epoch.
    pub(crate) not_before: i64,
    key_usages: Vec<KeyUsagePurpose>,
    purposes: Vec<ExtendedKeyUsagePurpose>,
    /// The members of a policy that are returned again.
    policy: Map<String, Value>,
}

impl Template {
    /// A template for this subject, `CN=www.example.org, O=Example`, valid from `now` on.
    pub(crate) fn new(subject: &str, now: i64) -> Self {
        let not_before = now - HEAD_START;
        Self {
            subject: subject.to_owned(),
            names: Vec::new(),
            months: MONTHS,
            not_before,
            key_usages: vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment],
            purposes: vec![
                ExtendedKeyUsagePurpose::ServerAuth,
                ExtendedKeyUsagePurpose::ClientAuth,
            ],
            policy: Map::new(),
        }
    }

    /// The template of a request's policy.
    pub(crate) fn from_policy(policy: &Value, now: i64) -> Result<Self, ApiError> {
        let properties = &policy["x509_props"];
        let subject =
            properties["subject"].as_str().ok_or_else(|| ApiError::invalid_value("x509_props"))?;
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let names = list(&properties["sans"]["dns_names"]);
        let mut template = Self {
            names: names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            months: properties["validity_months"].as_i64().unwrap_or(MONTHS),
            policy: select_members(
                policy,
                &["x509_props", "issuer", "key_props", "secret_props", "lifetime_actions"],
            ),
            ..Self::new(subject, now)
        };
        let usages = list(&properties["key_usage"]);
        if !usages.is_empty() {
            template.key_usages = usages.iter().map(key_usage).collect::<Result<_, _>>()?;
        }
        let purposes = list(&properties["ekus"]);
        if !purposes.is_empty() {
            template.purposes = purposes.iter().map(purpose).collect::<Result<_, _>>()?;
        }
        Ok(template)
    }

    /// End of the validity, in seconds since the Unix epoch.
    pub(crate) fn expires(&self) -> i64 {
        self.not_before.saturating_add(self.months.clamp(1, 1200) * 30 * 86_400)
    }

    /// Creates the self-signed certificate of a key.
    pub(crate) fn sign(&self, material: &KeyMaterial) -> Result<Certificate, ApiError> {
        let failed = |_| ApiError::server_error(StatusCode::INTERNAL_SERVER_ERROR);
        let secret = material.secret();
        let der = PrivatePkcs8KeyDer::from(secret.as_slice());
        let key =
            KeyPair::from_pkcs8_der_and_sign_algo(&der, algorithm(material)?).map_err(failed)?;
        let params = self.params()?;
        let certificate = params.self_signed(&key).map_err(failed)?;
        let csr = params.serialize_request(&key).map_err(failed)?;
        Ok(Certificate {
            cer: STANDARD.encode(certificate.der()),
            subject: self.subject.clone(),
            pending: Some(Pending {
                csr: STANDARD.encode(csr.der()),
                request_id: Uuid::new_v4().simple().to_string(),
            }),
            policy: self.policy.clone(),
        })
    }

    fn params(&self) -> Result<CertificateParams, ApiError> {
        let time = |seconds| OffsetDateTime::from_unix_timestamp(seconds);
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished_name(&self.subject)?;
        for name in &self.names {
            let name = name.as_str().try_into().map_err(|_| ApiError::invalid_value("sans"))?;
            params.subject_alt_names.push(SanType::DnsName(name));
        }
        params.key_usages.clone_from(&self.key_usages);
        params.extended_key_usages.clone_from(&self.purposes);
        let invalid = |_| ApiError::invalid_value("validity_months");
        params.not_before = time(self.not_before).map_err(invalid)?;
        params.not_after = time(self.expires()).map_err(invalid)?;
        Ok(params)
    }
}

/// The service's name of a key usage (RFC 5280 section 4.2.1.3).
fn key_usage(name: &Value) -> Result<KeyUsagePurpose, ApiError> {
    Ok(match name.as_str().unwrap_or_default() {
        "digitalSignature" => KeyUsagePurpose::DigitalSignature,
        "nonRepudiation" => KeyUsagePurpose::ContentCommitment,
        "keyEncipherment" => KeyUsagePurpose::KeyEncipherment,
        "dataEncipherment" => KeyUsagePurpose::DataEncipherment,
        "keyAgreement" => KeyUsagePurpose::KeyAgreement,
        "keyCertSign" => KeyUsagePurpose::KeyCertSign,
        "cRLSign" => KeyUsagePurpose::CrlSign,
        "encipherOnly" => KeyUsagePurpose::EncipherOnly,
        "decipherOnly" => KeyUsagePurpose::DecipherOnly,
        _ => return Err(ApiError::invalid_value("key_usage")),
    })
}

/// An object identifier such as `1.3.6.1.5.5.7.3.1`.
fn purpose(identifier: &Value) -> Result<ExtendedKeyUsagePurpose, ApiError> {
    let arcs = identifier.as_str().unwrap_or_default().split('.').map(str::parse);
    let arcs: Vec<u64> =
        arcs.collect::<Result<_, _>>().map_err(|_| ApiError::invalid_value("ekus"))?;
    match arcs[..] {
        [0 | 1, 0..40, ..] | [2, _, ..] => Ok(ExtendedKeyUsagePurpose::Other(arcs)),
        _ => Err(ApiError::invalid_value("ekus")),
    }
}

/// `CN=…, O=…`, without quoting.
fn distinguished_name(subject: &str) -> Result<DistinguishedName, ApiError> {
    let mut name = DistinguishedName::new();
    for part in subject.split(',') {
        let (kind, value) =
            part.split_once('=').ok_or_else(|| ApiError::invalid_value("subject"))?;
        let kind = match kind.trim().to_ascii_uppercase().as_str() {
            "CN" => DnType::CommonName,
            "O" => DnType::OrganizationName,
            "OU" => DnType::OrganizationalUnitName,
            "C" => DnType::CountryName,
            "L" => DnType::LocalityName,
            "S" | "ST" => DnType::StateOrProvinceName,
            _ => return Err(ApiError::invalid_value("subject")),
        };
        name.push(kind, value.trim());
    }
    Ok(name)
}

/// Unlike the service, the library that writes the certificates does not support secp256k1.
fn algorithm(material: &KeyMaterial) -> Result<&'static SignatureAlgorithm, ApiError> {
    match material.spec() {
        KeySpec::Rsa(_) => Ok(&PKCS_RSA_SHA256),
        KeySpec::Ec(Curve::P256) => Ok(&PKCS_ECDSA_P256_SHA256),
        KeySpec::Ec(Curve::P384) => Ok(&PKCS_ECDSA_P384_SHA384),
        KeySpec::Ec(Curve::P521) => Ok(&PKCS_ECDSA_P521_SHA512),
        KeySpec::Ec(Curve::P256K) => Err(ApiError::invalid_value("crv")),
        KeySpec::Oct(_) => Err(ApiError::invalid_value("kty")),
    }
}
