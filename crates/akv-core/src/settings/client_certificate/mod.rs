//! The certificate and key with which an application authenticates.

mod file;
#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{KeyPair as _, RSA_PSS_SHA256, RsaKeyPair},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use der::Decode as _;
use serde::Serialize;
use zeroize::Zeroizing;

/// Lifetime of an assertion. Microsoft recommends five to ten minutes. A request takes seconds; the
/// rest allows for clock differences.
const LIFE: Duration = Duration::from_secs(600);

/// A client certificate with its issuers and its RSA key.
///
/// The key is held by AWS-LC, which wipes it when it is freed.
pub(crate) struct ClientCertificate {
    key: RsaKeyPair,
    /// DER, the application's own certificate first.
    chain: Vec<Vec<u8>>,
}

/// The header of an assertion.
#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    #[serde(rename = "x5t#S256")]
    thumbprint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    x5c: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    nbf: u64,
    exp: u64,
}

impl ClientCertificate {
    /// Parses PEM text. `password` decrypts an encrypted key.
    ///
    /// # Errors
    /// The mistake in the content, and advice.
    pub(crate) fn parse(content: &[u8], password: Option<&str>) -> Result<Self, String> {
        let parts = file::read(content, password)?;
        let key = rsa_key(&parts.key)?;
        let mut chain = parts.certificates;
        // Files contain the certificate first, last, or among its issuers.
        let own = chain.iter().position(|certificate| belongs_to(certificate, &key));
        let own = own.ok_or("none of its certificates belongs to its private key")?;
        let certificate = chain.remove(own);
        chain.insert(0, certificate);
        Ok(Self { key, chain })
    }

    /// A signed statement of `client_id` for the token endpoint `audience`, as
    /// <https://learn.microsoft.com/entra/identity-platform/certificate-credentials> describes it.
    /// With `chain` it includes the certificates, for applications that trust an issuer and a
    /// subject name instead of one certificate.
    pub(crate) fn assertion(
        &self,
        audience: &str,
        client_id: &str,
        chain: bool,
    ) -> Result<Zeroizing<String>, String> {
        let header = Header {
            alg: "PS256",
            typ: "JWT",
            thumbprint: URL_SAFE_NO_PAD.encode(digest(&SHA256, &self.chain[0])),
            x5c: chain.then(|| self.chain.iter().map(|der| STANDARD.encode(der)).collect()),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let claims = Claims {
            aud: audience,
            iss: client_id,
            sub: client_id,
            jti: azure_core::Uuid::new_v4().to_string(),
            nbf: now.as_secs(),
            exp: (now + LIFE).as_secs(),
        };
        let mut text = Zeroizing::new(format!("{}.{}", encoded(&header)?, encoded(&claims)?));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PSS_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| "the assertion could not be signed")?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut text);
        Ok(text)
    }
}

fn encoded(part: &impl Serialize) -> Result<String, String> {
    let json = serde_json::to_vec(part).map_err(|error| error.to_string())?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

fn rsa_key(pkcs8: &[u8]) -> Result<RsaKeyPair, String> {
    const RSA: der::oid::ObjectIdentifier =
        der::oid::ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
    let info = pkcs8::PrivateKeyInfoRef::from_der(pkcs8)
        .map_err(|_| "its private key cannot be read; it should be PKCS#8 or PKCS#1")?;
    if info.algorithm.oid != RSA {
        return Err(file::ONLY_RSA.to_owned());
    }
    RsaKeyPair::from_pkcs8(pkcs8).map_err(|reason| {
        format!("its RSA key cannot be used ({reason}); it must have 2048 to 8192 bits")
    })
}

fn belongs_to(certificate: &[u8], key: &RsaKeyPair) -> bool {
    x509_cert::Certificate::from_der(certificate).is_ok_and(|certificate| {
        let public = &certificate.tbs_certificate().subject_public_key_info().subject_public_key;
        public.as_bytes() == Some(key.public_key().as_ref())
    })
}
