//! Local verification.

use std::{fmt, marker::PhantomData};

use ::signature::{
    DigestVerifier, Error, MultipartVerifier, SignatureEncoding, Verifier, hazmat::PrehashVerifier,
};
use spki::{AlgorithmIdentifierOwned, Document, DynSignatureAlgorithmIdentifier, EncodePublicKey};

use super::{
    algorithm_identifier,
    scheme::{Scheme, digest, digest_with},
    wrap_error,
};
use crate::{PublicKey, Result, SignatureAlgorithm};

/// The public half of a vault key, with the scheme `S`. Sends no request.
///
/// To verify with another implementation, use its DER ([`EncodePublicKey`]).
///
/// ```
/// use akv_core::{PublicKey, SignatureAlgorithm, signature::{RsaPss, VerifyingKey}};
/// use sha2::Sha256;
/// use signature::Verifier;
///
/// # let spki = akv_core::RsaPublicKey::new(&[0xc5; 256], &[1, 0, 1])?;
/// # let spki = PublicKey::Rsa(spki).to_spki_der();
/// let key = VerifyingKey::<RsaPss<Sha256>>::new(&PublicKey::from_spki_der(&spki)?)?;
/// assert_eq!((key.algorithm(), key.public_key().bits()), (SignatureAlgorithm::Ps256, 2048));
/// let forged = rsa::pss::Signature::try_from(&[0; 256][..])?;
/// assert!(key.verify(b"a message", &forged).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct VerifyingKey<S> {
    public_key: PublicKey,
    algorithm: SignatureAlgorithm,
    scheme: PhantomData<fn() -> S>,
}

impl<S: Scheme> VerifyingKey<S> {
    /// A verifying key for the scheme `S`.
    ///
    /// ```
    /// use akv_core::{ErrorKind, PublicKey, signature::{Ecdsa, RsaPkcs1, VerifyingKey}};
    ///
    /// # let public_key = PublicKey::Rsa(akv_core::RsaPublicKey::new(&[0xc5; 256], &[1, 0, 1])?);
    /// let key = VerifyingKey::<RsaPkcs1<sha2::Sha256>>::new(&public_key)?; // for an RSA key
    /// let error = VerifyingKey::<Ecdsa<p256::NistP256>>::new(&public_key).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Argument);
    /// # let _ = key;
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// The key does not fit this scheme.
    pub fn new(public_key: &PublicKey) -> Result<Self> {
        let algorithm = S::algorithm(public_key)?;
        Ok(Self { public_key: public_key.clone(), algorithm, scheme: PhantomData })
    }
}

impl<S> VerifyingKey<S> {
    /// The service's algorithm.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The public key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }
}

impl<S: Scheme> Verifier<S::Signature> for VerifyingKey<S> {
    fn verify(&self, message: &[u8], signature: &S::Signature) -> Result<(), Error> {
        self.verify_prehash(&digest::<S>(&[message]), signature)
    }
}

impl<S: Scheme> MultipartVerifier<S::Signature> for VerifyingKey<S> {
    fn multipart_verify(&self, message: &[&[u8]], signature: &S::Signature) -> Result<(), Error> {
        self.verify_prehash(&digest::<S>(message), signature)
    }
}

impl<S: Scheme> DigestVerifier<S::Digest, S::Signature> for VerifyingKey<S> {
    fn verify_digest<F: Fn(&mut S::Digest) -> Result<(), Error>>(
        &self,
        write: F,
        signature: &S::Signature,
    ) -> Result<(), Error> {
        self.verify_prehash(&digest_with::<S>(write)?, signature)
    }
}

impl<S: Scheme> PrehashVerifier<S::Signature> for VerifyingKey<S> {
    fn verify_prehash(&self, prehash: &[u8], signature: &S::Signature) -> Result<(), Error> {
        self.public_key
            .verify_digest(self.algorithm, prehash, &signature.to_vec())
            .map_err(wrap_error)
    }
}

impl<S> EncodePublicKey for VerifyingKey<S> {
    fn to_public_key_der(&self) -> spki::Result<Document> {
        Ok(Document::try_from(self.public_key.to_spki_der())?)
    }
}

impl<S> DynSignatureAlgorithmIdentifier for VerifyingKey<S> {
    fn signature_algorithm_identifier(&self) -> spki::Result<AlgorithmIdentifierOwned> {
        algorithm_identifier(self.algorithm)
    }
}

impl<S> Clone for VerifyingKey<S> {
    fn clone(&self) -> Self {
        let Self { public_key, algorithm, scheme } = self;
        Self { public_key: public_key.clone(), algorithm: *algorithm, scheme: *scheme }
    }
}

impl<S> fmt::Debug for VerifyingKey<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("public_key", &self.public_key)
            .field("algorithm", &self.algorithm)
            .finish()
    }
}

impl<S> PartialEq for VerifyingKey<S> {
    fn eq(&self, other: &Self) -> bool {
        self.public_key == other.public_key && self.algorithm == other.algorithm
    }
}

impl<S> Eq for VerifyingKey<S> {}
