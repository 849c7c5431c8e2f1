//! Encryption and key wrapping with RSA keys.

use super::named;
use crate::{Error, ErrorKind, PublicKey, Result, RsaPublicKey};

/// An encryption or key-wrapping algorithm of RSA keys. Its name
/// ([`FromStr`](std::str::FromStr), `Display`) is that of JOSE (RFC 7518 section 4.1): `RSA-OAEP`.
///
/// Keys of Managed HSM that are symmetric have others; see [`SymmetricKey`](crate::SymmetricKey).
///
/// ```
/// use akv_core::EncryptionAlgorithm;
///
/// let algorithm: EncryptionAlgorithm = "RSA-OAEP-256".parse()?;
/// assert_eq!(algorithm, EncryptionAlgorithm::RsaOaep256);
/// assert_eq!(algorithm.to_string(), algorithm.name());
/// assert!(EncryptionAlgorithm::ALL.contains(&algorithm));
/// # Ok::<(), akv_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncryptionAlgorithm {
    /// RSAES-PKCS1-v1_5 (RFC 8017 section 7.2). Only for what already exists: whoever can tell good
    /// from bad padding can decrypt.
    Rsa15,
    /// RSAES-OAEP (RFC 8017 section 7.1) with SHA-1 and MGF1 with SHA-1.
    RsaOaep,
    /// RSAES-OAEP with SHA-256 and MGF1 with SHA-256.
    RsaOaep256,
}

impl EncryptionAlgorithm {
    /// Every algorithm.
    pub const ALL: &'static [Self] = &[Self::Rsa15, Self::RsaOaep, Self::RsaOaep256];

    /// The name in requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsa15 => "RSA1_5",
            Self::RsaOaep => "RSA-OAEP",
            Self::RsaOaep256 => "RSA-OAEP-256",
        }
    }

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

    /// The RSA key, unless it or the plaintext cannot be used with this algorithm.
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
                "{self} with a {bits}-bit key takes at most {max} bytes, these are {len}"
            )));
        }
        Ok(key)
    }

    /// The RSA key, unless it or the ciphertext cannot be used with this algorithm.
    pub(crate) fn check_ciphertext<'k>(
        self,
        key: &'k PublicKey,
        ciphertext: &[u8],
    ) -> Result<&'k RsaPublicKey> {
        let key = self.rsa(key)?;
        if ciphertext.len() != key.size() {
            let (len, bits, size) = (ciphertext.len(), key.bits(), key.size());
            return Err(argument(format!(
                "the ciphertext has {len} bytes, a {bits}-bit key takes {size}"
            )));
        }
        Ok(key)
    }

    fn rsa(self, key: &PublicKey) -> Result<&RsaPublicKey> {
        match key {
            PublicKey::Rsa(key) => Ok(key),
            PublicKey::Ec(_) => Err(argument(format!(
                "{self} needs an RSA key, this is an {} key",
                key.description()
            ))),
        }
    }
}

named!(EncryptionAlgorithm, "encryption algorithm");

fn argument(text: String) -> Error {
    Error::new(ErrorKind::Argument, text)
}
