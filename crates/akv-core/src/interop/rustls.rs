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
//! rustls calls [`Signer::sign`] inside its state machine and needs the signature when that returns
//! (rustls#1976), so each handshake blocks its thread for the length of one request, at most the
//! `timeout` setting. The request itself runs on this library's own runtime. On a tokio worker the
//! other tasks of that thread would wait as well. There are two ways to prevent that:
//!
//! - On a runtime with several threads, [`SigningKey::for_tokio`]: signatures are awaited in
//!   [`block_in_place`](tokio::task::block_in_place), so that another thread takes over the worker's
//!   tasks. The server remains as it is; this also works with libraries that accept connections
//!   themselves, and with clients.
//! - On any runtime, let `LazyConfigAcceptor` of `tokio-rustls` await the client's first message,
//!   and let a thread for blocking operations do the rest of the work up to the signature:
//!
//! ```
//! use std::{io, sync::Arc};
//! use rustls::{ServerConfig, server::Acceptor};
//! use tokio::{net::TcpStream, task::spawn_blocking};
//! use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};
//!
//! async fn accept(config: Arc<ServerConfig>, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
//!     let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
//!     // This call signs, and not the future that it returns.
//!     let accept = spawn_blocking(move || start.into_stream(config)).await?;
//!     accept.await
//! }
//! ```
//!
//! A client whose first message has no usable key share (HelloRetryRequest) still blocks the thread
//! that polls `accept` in the second way.
//!
//! Both need one thread for each signature in flight, and no more while clients are slow. tokio has
//! 512 such threads unless `max_blocking_threads` says otherwise. Beyond that the first way blocks
//! workers, and the second way queues; limit the number of handshakes with a semaphore, or raise it.

use std::sync::Arc;

use rustls::{
    Error as TlsError, InconsistentKeys, OtherError, SignatureAlgorithm as TlsAlgorithm,
    SignatureScheme,
    sign::{CertifiedKey, Signer, SigningKey as RustlsSigningKey},
};
use rustls_pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::block_in_place,
};

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
    for_tokio: bool,
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
        Ok(Self { key: key.clone(), schemes, spki, for_tokio: false })
    }

    /// Awaits signatures in [`block_in_place`](tokio::task::block_in_place) when a worker of a tokio
    /// runtime asks for them: other tasks than the handshake's go on, on another thread.
    ///
    /// On other threads, and on runtimes with a single thread, this changes nothing.
    ///
    /// ```no_run
    /// use akv_core::tls::SigningKey;
    /// use rustls::{ServerConfig, crypto::aws_lc_rs, sign::SingleCertAndKey};
    /// use rustls_pki_types::CertificateDer;
    /// use std::sync::Arc;
    /// use tokio_rustls::TlsAcceptor;
    ///
    /// # fn example(
    /// #     key: akv_core::blocking::Key, chain: Vec<CertificateDer<'static>>,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let certified = SigningKey::new(&key)?.for_tokio().certified(chain)?;
    /// let config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
    ///     .with_safe_default_protocol_versions()?
    ///     .with_no_client_auth()
    ///     .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    /// let acceptor = TlsAcceptor::from(Arc::new(config));
    /// # let _ = acceptor;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// A signature panics inside a [`LocalSet`](tokio::task::LocalSet), where tokio does not permit
    /// `block_in_place`.
    #[must_use]
    pub fn for_tokio(mut self) -> Self {
        self.for_tokio = true;
        self
    }

    /// The key with its certificate chain, leaf first.
    ///
    /// # Errors
    /// There is no certificate, or the first one belongs to another key.
    pub fn certified(self, chain: Vec<CertificateDer<'static>>) -> Result<CertifiedKey> {
        let reference = self.key.pinned_reference().clone();
        let certified = CertifiedKey::new(chain, Arc::new(self));
        certified.keys_match().map_err(|error| {
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
    SigningKey::new(key)?.certified(chain)
}

impl RustlsSigningKey for SigningKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let (scheme, algorithm) =
            self.schemes.iter().copied().find(|(scheme, _)| offered.contains(scheme))?;
        let Self { key, for_tokio, .. } = self;
        Some(Box::new(OneSignature { key: key.clone(), scheme, algorithm, for_tokio: *for_tokio }))
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
    for_tokio: bool,
}

impl OneSignature {
    fn signature(&self, message: &[u8]) -> Result<Vec<u8>> {
        let digest = self.algorithm.hash(message).ok_or_else(|| {
            Error::new(ErrorKind::Internal, format!("{} has no hash", self.algorithm))
        })?;
        let sign = || self.key.sign(self.algorithm, digest.as_ref());
        let signature =
            if self.for_tokio && is_in_runtime() { block_in_place(sign) } else { sign() }?;
        match self.key.public_key() {
            PublicKey::Rsa(_) => Ok(signature),
            PublicKey::Ec(_) => ecdsa::raw_to_der(&signature),
        }
    }
}

/// Whether this thread belongs to a runtime whose tasks other threads can take over.
fn is_in_runtime() -> bool {
    Handle::try_current()
        .is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread)
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
