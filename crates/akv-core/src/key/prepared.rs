//! Signing of values from interfaces such as OpenSSL's: the caller has hashed with any hash, and
//! the matching algorithm of the service must be found.

use super::Key;
use crate::{
    DigestAlgorithm, Error, ErrorKind, PublicKey, Result, SignatureAlgorithm, algorithm::Prepared,
    ecdsa,
};

impl Key {
    /// Signs a value that is ready for RSASSA-PKCS1-v1_5 padding: a DER `DigestInfo` (RFC 8017
    /// section 9.2), the two digests of TLS 1.0, or any other value.
    ///
    /// A `DigestInfo` of SHA-256, SHA-384 or SHA-512 is signed with `RS256`, `RS384` or `RS512`,
    /// everything else with `RSNULL`, which a Managed HSM does not support.
    ///
    /// ```no_run
    /// # async fn example(key: akv_core::Key, md5_and_sha1: [u8; 36]) -> akv_core::Result<()> {
    /// let signature = key.sign_pkcs1(&md5_and_sha1).await?; // a TLS 1.0 handshake
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub async fn sign_pkcs1(&self, value: &[u8]) -> Result<Vec<u8>> {
        let Prepared { algorithm, input, .. } = self.prepare(value)?;
        self.sign(algorithm, input).await
    }

    /// Checks that [`sign_pkcs1`](Self::sign_pkcs1) would send a request, before a caller hashes
    /// much data. Only the form of the value matters, not the digest in it.
    ///
    /// ```no_run
    /// use akv_core::ErrorKind;
    ///
    /// # fn example(hsm_key: akv_core::Key) {
    /// let error = hsm_key.check_pkcs1(&[0; 36]).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Unsupported); // MD5-SHA1, with a Managed HSM
    /// # }
    /// ```
    ///
    /// # Errors
    /// The service does not sign such values, the value is too long for the key, or the key is not
    /// an RSA key.
    pub fn check_pkcs1(&self, value: &[u8]) -> Result<()> {
        let Prepared { algorithm, input, .. } = self.prepare(value)?;
        algorithm
            .check(self.public_key(), input)
            .map_err(|error| error.during(self.doing("sign", algorithm)))
    }

    /// Signs a digest of any algorithm with RSASSA-PKCS1-v1_5. The result is that of
    /// [`sign_pkcs1`](Self::sign_pkcs1) with the `DigestInfo` of this digest.
    ///
    /// ```no_run
    /// use akv_core::DigestAlgorithm::Sha384;
    ///
    /// # async fn example(key: akv_core::Key, sha384: [u8; 48]) -> akv_core::Result<()> {
    /// let signature = key.sign_pkcs1_digest(Sha384, &sha384).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub async fn sign_pkcs1_digest(
        &self,
        algorithm: DigestAlgorithm,
        digest: &[u8],
    ) -> Result<Vec<u8>> {
        match self.prepare_digest(algorithm)? {
            SignatureAlgorithm::RsNull => {
                self.sign(SignatureAlgorithm::RsNull, &algorithm.digest_info(digest)).await
            }
            signature => self.sign(signature, digest).await,
        }
    }

    /// Checks that [`sign_pkcs1_digest`](Self::sign_pkcs1_digest) would send a request, before a
    /// caller hashes much data.
    ///
    /// # Errors
    /// The service does not sign such digests, they do not fit the key, or the key is not an RSA
    /// key.
    pub fn check_pkcs1_digest(&self, algorithm: DigestAlgorithm) -> Result<()> {
        let digest = vec![0; algorithm.len()];
        let signature = self.prepare_digest(algorithm)?;
        let checked = match signature {
            SignatureAlgorithm::RsNull => {
                signature.check(self.public_key(), &algorithm.digest_info(&digest))
            }
            _ => signature.check(self.public_key(), &digest),
        };
        checked.map_err(|error| error.during(self.doing("sign", signature)))
    }

    fn prepare_digest(&self, digest: DigestAlgorithm) -> Result<SignatureAlgorithm> {
        let algorithm = digest.pkcs1();
        self.check_service(algorithm, digest.name())
            .map_err(|error| error.during(self.doing("sign", algorithm)))?;
        Ok(algorithm)
    }

    /// Finds the algorithm. If the service has none, the error names the hash.
    fn prepare<'a>(&self, value: &'a [u8]) -> Result<Prepared<'a>> {
        let prepared = Prepared::new(value);
        self.check_service(prepared.algorithm, prepared.name)
            .map_err(|error| error.during(self.doing("sign", prepared.algorithm)))?;
        Ok(prepared)
    }

    /// Signs a digest of any length with ECDSA, with the algorithm of the key's curve. The
    /// signature is r‖s; see [`crate::ecdsa`].
    ///
    /// ```no_run
    /// # async fn example(p256: akv_core::Key, sha384: [u8; 48]) -> akv_core::Result<()> {
    /// // The leftmost 32 bytes are used (FIPS 186-5 section 6.4.1).
    /// let der = akv_core::ecdsa::raw_to_der(&p256.sign_ecdsa(&sha384).await?)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`sign`](Self::sign) and [`ecdsa::check_digest`]; or the key is not an elliptic-curve
    /// key.
    pub async fn sign_ecdsa(&self, digest: &[u8]) -> Result<Vec<u8>> {
        let curve = match self.public_key() {
            PublicKey::Ec(key) => key.curve(),
            PublicKey::Rsa(_) => {
                let text = format!(
                    "{} is an RSA key; ECDSA needs an elliptic-curve key",
                    self.reference()
                );
                return Err(Error::new(ErrorKind::Argument, text));
            }
        };
        let algorithm = SignatureAlgorithm::ecdsa(curve);
        ecdsa::check_digest(curve, digest)
            .map_err(|error| error.during(self.doing("sign", algorithm)))?;
        self.sign(algorithm, &ecdsa::fit_digest(curve, digest)).await
    }
}
