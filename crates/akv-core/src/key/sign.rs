//! Signing in the vault, verifying locally.

use super::{
    Key,
    request::{Action, Parameters},
};
use crate::{Error, ErrorKind, PublicKey, Result, SignatureAlgorithm, VaultKind, ecdsa};

impl Key {
    /// Signs a digest in the vault. ECDSA signatures are in JOSE format, r‖s; see [`crate::ecdsa`].
    ///
    /// ```no_run
    /// use akv_core::SignatureAlgorithm::Es256;
    /// use sha2::{Digest, Sha256};
    ///
    /// # async fn example(key: akv_core::Key) -> akv_core::Result<()> {
    /// let signature = key.sign(Es256, &Sha256::digest(b"header.claims")).await?;
    /// assert_eq!(signature.len(), 64); // r and s, as in a JSON Web Token
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The algorithm or the digest's length does not fit the key (no request is sent then), the
    /// service fails or refuses within the deadline, or its signature does not verify.
    pub async fn sign(&self, algorithm: SignatureAlgorithm, digest: &[u8]) -> Result<Vec<u8>> {
        let during = || self.doing("sign", algorithm);
        self.check_service(algorithm, "a raw value").map_err(|error| error.during(during()))?;
        algorithm.check(self.public_key(), digest).map_err(|error| error.during(during()))?;
        let parameters = self.signing(algorithm, digest);
        let answer = self.0.handle.operate(Action::Sign, &parameters).await;
        let mut answer = answer.map_err(|error| error.during(during()))?;
        // A signature is not secret.
        let signature = std::mem::take(&mut *answer.value);
        self.check_numbers(&signature).map_err(|error| error.during(during()))?;
        if self.settings().values().verify_signatures {
            self.public_key().verify_digest(algorithm, digest, &signature).map_err(|_| {
                Error::new(
                    ErrorKind::Signature,
                    "the signature from the vault does not verify with the key's public half",
                )
                .during(during())
            })?;
        }
        Ok(signature)
    }

    /// Hashes a message locally with the algorithm's digest, and signs the digest in the vault.
    ///
    /// ```no_run
    /// # async fn example(key: akv_core::Key) -> akv_core::Result<()> {
    /// use akv_core::SignatureAlgorithm::Ps256;
    ///
    /// let signature = key.sign_message(Ps256, b"all of it").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`sign`](Self::sign); `RSNULL` has no digest of its own.
    pub async fn sign_message(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>> {
        let digest = algorithm.digest_to_sign(message);
        let digest = digest.map_err(|error| error.during(self.doing("sign", algorithm)))?;
        self.sign(algorithm, digest.as_ref()).await
    }

    /// Verifies a signature over a digest with the public half. Sends no request.
    ///
    /// ```no_run
    /// use akv_core::{ErrorKind, SignatureAlgorithm::Ps256};
    ///
    /// # fn example(key: akv_core::Key, digest: &[u8], signature: &[u8]) -> akv_core::Result<()> {
    /// match key.verify(Ps256, digest, signature) {
    ///     Err(error) if error.kind() == ErrorKind::Signature => println!("not signed by {key:?}"),
    ///     other => other?,
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`PublicKey::verify_digest`](crate::PublicKey::verify_digest).
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        digest: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        self.public_key()
            .verify_digest(algorithm, digest, signature)
            .map_err(|error| error.during(self.doing("verify a signature", algorithm)))
    }

    fn signing(&self, algorithm: SignatureAlgorithm, digest: &[u8]) -> Parameters {
        let len = self.public_key().signature_len();
        Parameters::new(algorithm.name(), digest, len..=len)
    }

    /// Refuses ECDSA numbers beyond the curve's order: their DER encoding can be longer than the
    /// longest signature, for which callers allocate room.
    fn check_numbers(&self, signature: &[u8]) -> Result<()> {
        match self.public_key() {
            PublicKey::Ec(key) if !ecdsa::in_range(signature, key.curve()) => Err(Error::new(
                ErrorKind::Response,
                "r or s of the service's signature is out of range",
            )),
            _ => Ok(()),
        }
    }

    /// The request of [`sign`](Self::sign).
    #[cfg(feature = "probe")]
    pub(crate) fn sign_request(
        &self,
        algorithm: SignatureAlgorithm,
        digest: &[u8],
    ) -> Result<(hyper::Uri, bytes::Bytes)> {
        let body = self.signing(algorithm, digest).to_body()?;
        Ok((self.0.handle.target(Action::Sign).clone(), body))
    }

    /// Checks the response to [`sign_request`](Self::sign_request).
    #[cfg(feature = "probe")]
    pub(crate) fn check_signature(
        &self,
        algorithm: SignatureAlgorithm,
        digest: &[u8],
        body: &[u8],
    ) -> Result<()> {
        let requested = self.signing(algorithm, digest);
        let answer = super::request::OperationResult::read(body, self.version(), &requested)
            .map_err(|unusable| Error::new(ErrorKind::Response, unusable.reason()))?;
        self.public_key().verify_digest(algorithm, digest, &answer.value)
    }

    /// Managed HSM no longer supports RSNULL; the service's own message does not say so. `what` is
    /// the value to sign.
    pub(super) fn check_service(&self, algorithm: SignatureAlgorithm, what: &str) -> Result<()> {
        if algorithm == SignatureAlgorithm::RsNull
            && self.reference().kind() == VaultKind::ManagedHsm
        {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("Managed HSM signs SHA-256, SHA-384 and SHA-512 with RSA, not {what}"),
            ));
        }
        Ok(())
    }
}
