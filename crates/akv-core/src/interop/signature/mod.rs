//! Vault keys behind the traits of RustCrypto's [`signature`] crate (feature
//! `signature`).
//!
//! A [`SigningKey`] is a [`blocking::Key`] or a [`Key`] with one algorithm: PKCS#1 v1.5 or PSS with
//! a SHA-2 hash, or ECDSA on a curve with the hash of that curve. It hashes messages locally and
//! signs the digest in the vault.
//!
//! | key | traits for signing |
//! |---|---|
//! | [`blocking::Key`] | [`Signer`](::signature::Signer), [`MultipartSigner`](::signature::MultipartSigner), [`DigestSigner`](::signature::DigestSigner), [`PrehashSigner`](::signature::hazmat::PrehashSigner) |
//! | [`Key`] | [`AsyncSigner`](::signature::AsyncSigner), [`AsyncDigestSigner`](::signature::AsyncDigestSigner) |
//!
//! Both have a [`VerifyingKey`] ([`Keypair`]), which verifies locally. Signatures are the types of
//! the `rsa` and `ecdsa` crates; ECDSA signatures are available in the fixed and in the DER format,
//! as the caller chooses.
//!
//! ```no_run
//! use akv_core::{Settings, blocking::Client};
//! use sha2::Sha256;
//! use signature::{Keypair, Signer, Verifier};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(Settings::from_environment()?);
//! let key = client.key(&client.reference("vault:myVault:myKey")?)?;
//! let signer = key.rsa_pss::<Sha256>()?;
//! let signature: rsa::pss::Signature = signer.try_sign(b"a message")?;
//! signer.verifying_key().verify(b"a message", &signature)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Errors
//! A [`signature::Error`] has no message of its own; its source is this library's
//! [`Error`](crate::Error). [`Signer::sign`](::signature::Signer::sign) panics when the service
//! fails: use `try_sign`.

mod identifier;
mod scheme;
mod signer;
mod verifier;

pub use self::{
    scheme::{Ecdsa, Hash, NamedCurve, RsaPkcs1, RsaPss, Scheme},
    verifier::VerifyingKey,
};

use std::fmt;

use ::signature::{Error as SignatureError, Keypair, KeypairRef};
use spki::{AlgorithmIdentifierOwned, DynSignatureAlgorithmIdentifier};

use crate::{Key, PublicKey, Result, blocking};

pub(crate) use self::identifier::algorithm_identifier;

/// A vault key (`K`: [`blocking::Key`] or [`Key`]) that signs with the scheme `S`. See the
/// [module](self).
///
/// ```no_run
/// use akv_core::signature::{RsaPss, SigningKey};
/// use sha2::Sha256;
/// use signature::{SignatureEncoding, Signer};
///
/// /// A signing service whose key is in a vault.
/// struct Releases {
///     signer: SigningKey<RsaPss<Sha256>>,
/// }
///
/// impl Releases {
///     fn sign(&self, archive: &[u8]) -> Result<Vec<u8>, signature::Error> {
///         tracing::info!("signing with {}", self.signer.key().pinned_reference());
///         Ok(self.signer.try_sign(archive)?.to_vec())
///     }
/// }
/// ```
#[derive(Clone)]
pub struct SigningKey<S, K = blocking::Key> {
    key: K,
    verifying: VerifyingKey<S>,
}

impl<S: Scheme, K> SigningKey<S, K> {
    fn new(key: K, public_key: &PublicKey) -> Result<Self> {
        Ok(Self { key, verifying: VerifyingKey::new(public_key)? })
    }

    /// The vault key.
    pub fn key(&self) -> &K {
        &self.key
    }
}

/// The constructors, identical for both kinds of [`Key`].
macro_rules! constructors {
    ($key:ty) => {
        impl $key {
            /// A signer for RSASSA-PKCS1-v1_5 with the hash `D`.
            ///
            /// ```no_run
            /// # fn example(key: akv_core::blocking::Key) -> akv_core::Result<()> {
            /// use akv_core::SignatureAlgorithm;
            /// use signature::Keypair;
            ///
            /// let signer = key.rsa_pkcs1::<sha2::Sha256>()?;
            /// assert_eq!(signer.verifying_key().algorithm(), SignatureAlgorithm::Rs256);
            /// # Ok(())
            /// # }
            /// ```
            ///
            /// # Errors
            /// The key is not an RSA key.
            pub fn rsa_pkcs1<D: Hash>(&self) -> Result<SigningKey<RsaPkcs1<D>, Self>> {
                SigningKey::new(self.clone(), self.public_key())
            }

            /// A signer for RSASSA-PSS with the hash `D`, MGF1 with the same hash, and a salt as
            /// long as a digest.
            ///
            /// ```no_run
            /// # fn example(key: akv_core::blocking::Key) -> akv_core::Result<()> {
            /// use akv_core::SignatureAlgorithm;
            /// use signature::Keypair;
            ///
            /// let signer = key.rsa_pss::<sha2::Sha384>()?;
            /// assert_eq!(signer.verifying_key().algorithm(), SignatureAlgorithm::Ps384);
            /// # Ok(())
            /// # }
            /// ```
            ///
            /// # Errors
            /// The key is not an RSA key.
            pub fn rsa_pss<D: Hash>(&self) -> Result<SigningKey<RsaPss<D>, Self>> {
                SigningKey::new(self.clone(), self.public_key())
            }

            /// A signer for ECDSA on the curve `C`, such as `p256::NistP256`, with the hash that
            /// belongs to the curve.
            ///
            /// ```no_run
            /// # fn example(key: akv_core::blocking::Key) -> akv_core::Result<()> {
            /// use akv_core::SignatureAlgorithm;
            /// use signature::Keypair;
            ///
            /// let signer = key.ecdsa::<p256::NistP256>()?;
            /// assert_eq!(signer.verifying_key().algorithm(), SignatureAlgorithm::Es256);
            /// # Ok(())
            /// # }
            /// ```
            ///
            /// # Errors
            /// The key is not on this curve.
            pub fn ecdsa<C: NamedCurve>(&self) -> Result<SigningKey<Ecdsa<C>, Self>> {
                SigningKey::new(self.clone(), self.public_key())
            }
        }
    };
}

constructors!(Key);
constructors!(blocking::Key);

impl<S, K> AsRef<VerifyingKey<S>> for SigningKey<S, K> {
    fn as_ref(&self) -> &VerifyingKey<S> {
        &self.verifying
    }
}

impl<S, K> KeypairRef for SigningKey<S, K> {
    type VerifyingKey = VerifyingKey<S>;
}

impl<S: Scheme, K> DynSignatureAlgorithmIdentifier for SigningKey<S, K> {
    fn signature_algorithm_identifier(&self) -> spki::Result<AlgorithmIdentifierOwned> {
        self.verifying_key().signature_algorithm_identifier()
    }
}

impl<S: Scheme, K: fmt::Debug> fmt::Debug for SigningKey<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let algorithm = self.verifying.algorithm();
        f.debug_struct("SigningKey")
            .field("key", &self.key)
            .field("algorithm", &algorithm)
            .finish_non_exhaustive()
    }
}

/// Wraps our error in the trait's error, which has no message of its own.
pub(crate) fn wrap_error(error: crate::Error) -> SignatureError {
    SignatureError::from_source(error)
}
