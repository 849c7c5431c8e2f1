//! Verifying, without a request.

use super::{
    algorithm_identifier, behind,
    scheme::{Scheme, digest, digest_with},
};
use crate::{PublicKey, Result, SignatureAlgorithm};
use ::signature::{
    DigestVerifier, Error, MultipartVerifier, SignatureEncoding, Verifier, hazmat::PrehashVerifier,
};
use spki::{AlgorithmIdentifierOwned, Document, DynSignatureAlgorithmIdentifier, EncodePublicKey};
use std::{fmt, marker::PhantomData};

/// The public half of a key in a vault, with the scheme `S`. No request is made.
///
/// For another implementation, take its DER ([`EncodePublicKey`]).
pub struct VerifyingKey<S> {
    public_key: PublicKey,
    algorithm: SignatureAlgorithm,
    scheme: PhantomData<fn() -> S>,
}

impl<S: Scheme> VerifyingKey<S> {
    /// The verifying key of `S` with a public key.
    ///
    /// # Errors
    /// The key is not of this scheme.
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
        self.public_key.verify_digest(self.algorithm, prehash, &signature.to_vec()).map_err(behind)
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
