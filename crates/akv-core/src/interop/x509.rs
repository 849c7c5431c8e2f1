//! Certificates and certificate requests whose key is in a vault (feature `x509`).
//!
//! A [`Signer`] works with the builders of the [`x509_cert`] crate, for any type of key. For a
//! [`blocking::Key`] use [`Builder::build`](x509_cert::builder::Builder::build), for a [`Key`]
//! [`AsyncBuilder::build_async`](x509_cert::builder::AsyncBuilder::build_async).
//!
//! ```no_run
//! use akv_core::{Settings, blocking::Client, x509::{self, x509_cert}};
//! use der::{EncodePem, pem::LineEnding};
//! use x509_cert::{builder::Builder, name::Name, request::RequestBuilder};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(Settings::from_environment()?);
//! let key = client.key(&client.reference("vault:myVault:myKey")?)?;
//! let subject: Name = "CN=www.example.org".parse()?;
//! let request = RequestBuilder::new(subject)?.build::<_, x509::Signature>(&key.x509_signer())?;
//! let pem = request.to_pem(LineEnding::LF)?;
//! assert!(pem.starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
//! # Ok(())
//! # }
//! ```

pub use x509_cert;

use ::signature::{AsyncSigner, Error as SignatureError, KeypairRef, SignatureEncoding};
use der::asn1::BitString;
use spki::{AlgorithmIdentifierOwned, DynSignatureAlgorithmIdentifier, SignatureBitStringEncoding};

use crate::{
    Error, ErrorKind, Key, PublicKey, Result, SignatureAlgorithm, blocking, ecdsa,
    signature::{algorithm_identifier, wrap_error},
};

/// A vault key (`K`: [`blocking::Key`] or [`Key`]) with the algorithm for signing certificates.
///
/// Errors of the service are the source of the [`signature::Error`] in the
/// builder's error.
///
/// ```no_run
/// use akv_core::x509::{Signature, x509_cert};
/// use x509_cert::{builder::AsyncBuilder, name::Name, request::RequestBuilder};
///
/// # async fn example(key: akv_core::Key) -> Result<(), Box<dyn std::error::Error>> {
/// let subject: Name = "CN=www.example.org,O=Example".parse()?;
/// let signer = key.x509_signer();
/// println!("signing with {}", signer.algorithm());
/// let request = RequestBuilder::new(subject)?.build_async::<_, Signature>(&signer).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Signer<K = blocking::Key> {
    key: K,
    public_key: PublicKey,
    algorithm: SignatureAlgorithm,
}

/// A signature in the format of certificates: DER for ECDSA.
///
/// ```no_run
/// use akv_core::x509::Signature;
/// use signature::{SignatureEncoding, Signer};
///
/// # fn example(
/// #     key: akv_core::blocking::Key, tbs_certificate: &[u8],
/// # ) -> Result<(), signature::Error> {
/// let signature: Signature = key.x509_signer().try_sign(tbs_certificate)?;
/// let der = signature.to_vec();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature(Box<[u8]>);

impl<K> Signer<K> {
    fn new(key: K, public_key: &PublicKey, algorithm: SignatureAlgorithm) -> Result<Self> {
        algorithm.check_key(public_key)?;
        if algorithm.digest_len().is_none() {
            let text = format!("certificates cannot be signed with {algorithm}");
            return Err(Error::new(ErrorKind::Argument, text));
        }
        Ok(Self { key, public_key: public_key.clone(), algorithm })
    }

    /// The algorithm.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn digest(&self, message: &[u8]) -> Result<aws_lc_rs::digest::Digest, SignatureError> {
        self.algorithm.hash(message).ok_or_else(SignatureError::new)
    }

    fn finish(&self, signature: Result<Vec<u8>>) -> Result<Signature, SignatureError> {
        let signature = signature.and_then(|signature| match self.public_key {
            PublicKey::Rsa(_) => Ok(signature),
            PublicKey::Ec(_) => ecdsa::raw_to_der(&signature),
        });
        Ok(Signature(signature.map_err(wrap_error)?.into()))
    }
}

/// The constructors, identical for both kinds of [`Key`].
macro_rules! constructors {
    ($key:ty) => {
        impl $key {
            /// A signer of certificates, with RSASSA-PKCS1-v1_5 and SHA-256, or with ECDSA on the
            /// key's curve.
            ///
            /// ```no_run
            /// # fn example(key: akv_core::blocking::Key) {
            /// use akv_core::SignatureAlgorithm;
            ///
            /// let signer = key.x509_signer(); // for a key on P-384
            /// assert_eq!(signer.algorithm(), SignatureAlgorithm::Es384);
            /// # }
            /// ```
            pub fn x509_signer(&self) -> Signer<Self> {
                let public_key = self.public_key().clone();
                let algorithm = SignatureAlgorithm::default_for(&public_key);
                Signer { key: self.clone(), public_key, algorithm }
            }

            /// A signer of certificates with `algorithm`.
            ///
            /// ```no_run
            /// # fn example(key: akv_core::blocking::Key) -> akv_core::Result<()> {
            /// use akv_core::SignatureAlgorithm;
            ///
            /// let signer = key.x509_signer_with(SignatureAlgorithm::Ps256)?; // RSASSA-PSS
            /// # Ok(())
            /// # }
            /// ```
            ///
            /// # Errors
            /// The algorithm does not fit the key, or has no identifier for certificates.
            pub fn x509_signer_with(&self, algorithm: SignatureAlgorithm) -> Result<Signer<Self>> {
                Signer::new(self.clone(), self.public_key(), algorithm)
            }
        }
    };
}

constructors!(Key);
constructors!(blocking::Key);

impl ::signature::Signer<Signature> for Signer<blocking::Key> {
    fn try_sign(&self, message: &[u8]) -> Result<Signature, SignatureError> {
        let digest = self.digest(message)?;
        self.finish(self.key.sign(self.algorithm, digest.as_ref()))
    }
}

impl AsyncSigner<Signature> for Signer<Key> {
    async fn sign_async(&self, message: &[u8]) -> Result<Signature, SignatureError> {
        let digest = self.digest(message)?;
        self.finish(self.key.sign(self.algorithm, digest.as_ref()).await)
    }
}

impl<K> AsRef<PublicKey> for Signer<K> {
    fn as_ref(&self) -> &PublicKey {
        &self.public_key
    }
}

impl<K> KeypairRef for Signer<K> {
    type VerifyingKey = PublicKey;
}

impl<K> DynSignatureAlgorithmIdentifier for Signer<K> {
    fn signature_algorithm_identifier(&self) -> spki::Result<AlgorithmIdentifierOwned> {
        algorithm_identifier(self.algorithm)
    }
}

impl SignatureEncoding for Signature {
    type Repr = Box<[u8]>;
}

impl TryFrom<&[u8]> for Signature {
    type Error = SignatureError;

    fn try_from(bytes: &[u8]) -> Result<Self, SignatureError> {
        Ok(Self(bytes.into()))
    }
}

impl From<Signature> for Box<[u8]> {
    fn from(signature: Signature) -> Self {
        signature.0
    }
}

impl SignatureBitStringEncoding for Signature {
    fn to_bitstring(&self) -> der::Result<BitString> {
        BitString::from_bytes(&self.0)
    }
}
