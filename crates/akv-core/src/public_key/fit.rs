//! Checks that an algorithm fits a key and its input, before any request.

use super::{PublicKey, RsaPublicKey};
use crate::{EncryptionAlgorithm, Error, ErrorKind, Result, SignatureAlgorithm};

impl SignatureAlgorithm {
    /// The algorithm of a key that every verifier supports: `RS256`, or the one of the curve.
    ///
    /// ```
    /// use akv_core::{PublicKey, RsaPublicKey, SignatureAlgorithm};
    ///
    /// # let modulus = [0xc5; 256];
    /// let key = PublicKey::Rsa(RsaPublicKey::new(&modulus, &[1, 0, 1])?);
    /// assert_eq!(SignatureAlgorithm::default_for(&key), SignatureAlgorithm::Rs256);
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    pub fn default_for(key: &PublicKey) -> Self {
        match key {
            PublicKey::Rsa(_) => Self::Rs256,
            PublicKey::Ec(key) => Self::ecdsa(key.curve()),
        }
    }

    /// Refuses a key that does not fit this algorithm.
    pub(crate) fn check_key(self, key: &PublicKey) -> Result<()> {
        let fits = match key {
            PublicKey::Rsa(_) => self.is_rsa(),
            PublicKey::Ec(key) => self == Self::ecdsa(key.curve()),
        };
        if !fits {
            return Err(Error::new(
                ErrorKind::Argument,
                format!("{self} cannot be used with this {} key", key.description()),
            ));
        }
        Ok(())
    }

    /// Refuses a key or a digest that does not fit this algorithm, before any request.
    pub(crate) fn check(self, key: &PublicKey, digest: &[u8]) -> Result<()> {
        self.check_key(key)?;
        match (self.digest_len(), key) {
            (Some(len), _) if len != digest.len() => Err(Error::new(
                ErrorKind::Argument,
                format!("{self} signs a digest of {len} bytes, not {}", digest.len()),
            )),
            // RFC 8017 section 9.2: at least eight bytes of padding and three of framing.
            (None, PublicKey::Rsa(key)) if digest.len() + 11 > key.size() => Err(Error::new(
                ErrorKind::Argument,
                format!(
                    "{} bytes do not fit a {}-bit key with PKCS#1 padding; the maximum is {}",
                    digest.len(),
                    key.bits(),
                    key.size().saturating_sub(11)
                ),
            )),
            _ => Ok(()),
        }
    }
}

impl EncryptionAlgorithm {
    /// The length in bytes of the longest plaintext that fits into one block of `key` (RFC 8017
    /// sections 7.1.1 and 7.2.1).
    ///
    /// ```
    /// use akv_core::{EncryptionAlgorithm, RsaPublicKey};
    ///
    /// # let modulus = [0xc5; 256];
    /// let key = RsaPublicKey::new(&modulus, &[1, 0, 1])?; // RSA-2048
    /// assert_eq!(EncryptionAlgorithm::RsaOaep256.max_plaintext_len(&key), 190);
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    pub fn max_plaintext_len(self, key: &RsaPublicKey) -> usize {
        let padding = match self {
            Self::Rsa15 => 11,
            Self::RsaOaep => 2 * 20 + 2,
            Self::RsaOaep256 => 2 * 32 + 2,
        };
        key.size().saturating_sub(padding)
    }

    /// The RSA key, unless it or the plaintext does not fit this algorithm.
    pub(crate) fn check_plaintext<'k>(
        self,
        key: &'k PublicKey,
        plaintext: &[u8],
    ) -> Result<&'k RsaPublicKey> {
        let key = self.rsa(key)?;
        let max = self.max_plaintext_len(key);
        if plaintext.len() > max {
            let (len, bits) = (plaintext.len(), key.bits());
            return Err(argument(format!(
                "{self} with a {bits}-bit key accepts at most {max} bytes, not {len}"
            )));
        }
        Ok(key)
    }

    /// The RSA key, unless it or the ciphertext does not fit this algorithm.
    pub(crate) fn check_ciphertext<'k>(
        self,
        key: &'k PublicKey,
        ciphertext: &[u8],
    ) -> Result<&'k RsaPublicKey> {
        let key = self.rsa(key)?;
        if ciphertext.len() != key.size() {
            let (len, bits, size) = (ciphertext.len(), key.bits(), key.size());
            return Err(argument(format!(
                "a ciphertext for a {bits}-bit key has {size} bytes, not {len}"
            )));
        }
        Ok(key)
    }

    fn rsa(self, key: &PublicKey) -> Result<&RsaPublicKey> {
        match key {
            PublicKey::Rsa(key) => Ok(key),
            PublicKey::Ec(_) => {
                Err(argument(format!("{self} needs an RSA key, not an {} key", key.description())))
            }
        }
    }
}

fn argument(text: String) -> Error {
    Error::new(ErrorKind::Argument, text)
}
