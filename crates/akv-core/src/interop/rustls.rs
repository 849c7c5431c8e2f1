//! TLS with rustls where the private key stays in a vault (feature `rustls`).
//!
//! ```no_run
//! use akv_core::{Settings, blocking::Client, tls};
//! use rustls::{ServerConfig, crypto::aws_lc_rs, sign::SingleCertAndKey};
//! use rustls_pki_types::{CertificateDer, pem::PemObject};
//! use std::sync::Arc;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(Settings::from_environment()?);
//! let key = client.key(&client.reference("vault:myVault:myKey")?)?;
//! let chain = CertificateDer::pem_file_iter("site.pem")?.collect::<Result<Vec<_>, _>>()?;
//! let certified = tls::certified_key(&key, chain)?;
//! let config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
//!     .with_safe_default_protocol_versions()?
//!     .with_no_client_auth()
//!     .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
//! # let _ = config;
//! # Ok(())
//! # }
//! ```
//!
//! # Handshakes block
//! rustls signs inside its state machine, so each handshake blocks its thread for the length of one
//! request, at most the `timeout` setting. In an async server that is a thread of the runtime:
//! provide one thread per concurrent handshake, or run handshakes where blocking is allowed. The
//! request itself runs on this library's own runtime and does not need the blocked thread.

use std::sync::Arc;

use rustls::{
    Error as TlsError, InconsistentKeys, OtherError, SignatureAlgorithm as TlsAlgorithm,
    SignatureScheme,
    sign::{CertifiedKey, Signer, SigningKey as RustlsSigningKey},
};
use rustls_pki_types::{CertificateDer, SubjectPublicKeyInfoDer};

use crate::{Curve, Error, ErrorKind, PublicKey, Result, SignatureAlgorithm, blocking::Key, ecdsa};

/// Schemes for RSA keys, in rustls's order of preference.
const RSA: &[(SignatureScheme, SignatureAlgorithm)] = &[
    (SignatureScheme::RSA_PSS_SHA512, SignatureAlgorithm::Ps512),
    (SignatureScheme::RSA_PSS_SHA384, SignatureAlgorithm::Ps384),
    (SignatureScheme::RSA_PSS_SHA256, SignatureAlgorithm::Ps256),
    (SignatureScheme::RSA_PKCS1_SHA512, SignatureAlgorithm::Rs512),
    (SignatureScheme::RSA_PKCS1_SHA384, SignatureAlgorithm::Rs384),
    (SignatureScheme::RSA_PKCS1_SHA256, SignatureAlgorithm::Rs256),
];
const P256: &[(SignatureScheme, SignatureAlgorithm)] =
    &[(SignatureScheme::ECDSA_NISTP256_SHA256, SignatureAlgorithm::Es256)];
const P384: &[(SignatureScheme, SignatureAlgorithm)] =
    &[(SignatureScheme::ECDSA_NISTP384_SHA384, SignatureAlgorithm::Es384)];
const P521: &[(SignatureScheme, SignatureAlgorithm)] =
    &[(SignatureScheme::ECDSA_NISTP521_SHA512, SignatureAlgorithm::Es512)];

/// A vault key for rustls's servers and clients.
///
/// ```no_run
/// use akv_core::tls::SigningKey;
/// use rustls::{SignatureScheme, sign::SigningKey as _};
///
/// # fn example(key: akv_core::blocking::Key) -> akv_core::Result<()> {
/// let signing_key = SigningKey::new(&key)?; // for an RSA key
/// let offered = [SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::RSA_PSS_SHA256];
/// let signer = signing_key.choose_scheme(&offered).expect("one of them is for RSA");
/// assert_eq!(signer.scheme(), SignatureScheme::RSA_PSS_SHA256);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SigningKey {
    key: Key,
    schemes: &'static [(SignatureScheme, SignatureAlgorithm)],
    spki: SubjectPublicKeyInfoDer<'static>,
}

impl SigningKey {
    /// A key for TLS.
    ///
    /// ```no_run
    /// use akv_core::tls::SigningKey;
    /// use rustls::{pki_types::CertificateDer, sign::CertifiedKey};
    /// use std::sync::Arc;
    ///
    /// # fn example(
    /// #     key: akv_core::blocking::Key, chain: Vec<CertificateDer<'static>>,
    /// # ) -> akv_core::Result<()> {
    /// // Without the check that certified_key makes.
    /// let certified = CertifiedKey::new(chain, Arc::new(SigningKey::new(&key)?));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// TLS has no signature scheme for the key: it is on the curve secp256k1.
    pub fn new(key: &Key) -> Result<Self> {
        let schemes = match key.public_key() {
            PublicKey::Rsa(_) => RSA,
            PublicKey::Ec(public_key) => match public_key.curve() {
                Curve::P256 => P256,
                Curve::P384 => P384,
                Curve::P521 => P521,
                curve @ Curve::P256K => {
                    let text = format!("TLS has no signature scheme for keys on {}", curve.name());
                    return Err(Error::new(ErrorKind::Unsupported, text));
                }
            },
        };
        let spki = SubjectPublicKeyInfoDer::from(key.public_key().to_spki_der());
        Ok(Self { key: key.clone(), schemes, spki })
    }
}

/// The key with its certificate chain, leaf first, for
/// [`SingleCertAndKey`](rustls::sign::SingleCertAndKey) or your own resolver.
///
/// ```no_run
/// use akv_core::tls;
/// use rustls::{pki_types::{CertificateDer, pem::PemObject}, server::ResolvesServerCertUsingSni};
///
/// # fn example(key: akv_core::blocking::Key) -> Result<(), Box<dyn std::error::Error>> {
/// let chain = CertificateDer::pem_file_iter("site.pem")?.collect::<Result<Vec<_>, _>>()?;
/// let mut sites = ResolvesServerCertUsingSni::new();
/// sites.add("www.example.org", tls::certified_key(&key, chain)?)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`SigningKey::new`]; or there is no certificate, or the first one belongs to another key.
pub fn certified_key(key: &Key, chain: Vec<CertificateDer<'static>>) -> Result<CertifiedKey> {
    let certified = CertifiedKey::new(chain, Arc::new(SigningKey::new(key)?));
    certified.keys_match().map_err(|error| {
        let reference = key.pinned_reference();
        let text = match error {
            TlsError::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                format!("the certificate does not belong to {reference}")
            }
            error => format!("the certificate for {reference} cannot be used: {error}"),
        };
        Error::new(ErrorKind::Argument, text)
    })?;
    Ok(certified)
}

impl RustlsSigningKey for SigningKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let (scheme, algorithm) =
            self.schemes.iter().copied().find(|(scheme, _)| offered.contains(scheme))?;
        Some(Box::new(OneSignature { key: self.key.clone(), scheme, algorithm }))
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(self.spki.clone())
    }

    fn algorithm(&self) -> TlsAlgorithm {
        match self.key.public_key() {
            PublicKey::Rsa(_) => TlsAlgorithm::RSA,
            PublicKey::Ec(_) => TlsAlgorithm::ECDSA,
        }
    }
}

/// A scheme that client and server agreed on.
#[derive(Debug)]
struct OneSignature {
    key: Key,
    scheme: SignatureScheme,
    algorithm: SignatureAlgorithm,
}

impl OneSignature {
    fn signature(&self, message: &[u8]) -> Result<Vec<u8>> {
        let digest = self.algorithm.hash(message).ok_or_else(|| {
            Error::new(ErrorKind::Internal, format!("{} has no hash", self.algorithm))
        })?;
        let signature = self.key.sign(self.algorithm, digest.as_ref())?;
        match self.key.public_key() {
            PublicKey::Rsa(_) => Ok(signature),
            PublicKey::Ec(_) => ecdsa::raw_to_der(&signature),
        }
    }
}

impl Signer for OneSignature {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, TlsError> {
        self.signature(message).map_err(|error| {
            // Servers seldom log why a handshake failed.
            tracing::warn!(%error, "TLS handshake failed: cannot sign");
            TlsError::Other(OtherError(Arc::new(error)))
        })
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}
