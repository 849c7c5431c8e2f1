//! Local encryption for an RSA key.

use aws_lc_rs::{
    error::Unspecified,
    rsa::{
        OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey,
        Pkcs1PublicEncryptingKey, PublicEncryptingKey,
    },
};

use super::PublicKey;
use crate::{EncryptionAlgorithm, Error, ErrorKind, Result};

impl PublicKey {
    /// Encrypts for this key. Sends no request. The result has the length of the modulus.
    ///
    /// ```
    /// use akv_core::{EncryptionAlgorithm, PublicKey};
    ///
    /// # let spki = akv_core::PublicKey::Rsa(akv_core::RsaPublicKey::new(&[0xc5; 256], &[1, 0, 1])?)
    /// #     .to_spki_der();
    /// let key = PublicKey::from_spki_der(&spki)?;
    /// let ciphertext = key.encrypt(EncryptionAlgorithm::RsaOaep256, b"a data key")?;
    /// assert_eq!(ciphertext.len() * 8, key.bits());
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// The key is not an RSA key of 2 048 to 8 192 bits, or the plaintext is longer than
    /// [`EncryptionAlgorithm::max_plaintext_len`].
    pub fn encrypt(&self, algorithm: EncryptionAlgorithm, plaintext: &[u8]) -> Result<Vec<u8>> {
        let key = algorithm.check_plaintext(self, plaintext)?;
        let mut ciphertext = vec![0; key.size()];
        let aws_key = PublicEncryptingKey::from_der(&self.to_spki_der()).map_err(|rejected| {
            Error::new(
                ErrorKind::Unsupported,
                format!("cannot encrypt with this {} key: {rejected}", self.description()),
            )
        })?;
        let written = match algorithm {
            EncryptionAlgorithm::Rsa15 => Pkcs1PublicEncryptingKey::new(aws_key)
                .and_then(|key| key.encrypt(plaintext, &mut ciphertext).map(|out| out.len())),
            EncryptionAlgorithm::RsaOaep | EncryptionAlgorithm::RsaOaep256 => {
                let oaep = match algorithm {
                    EncryptionAlgorithm::RsaOaep => &OAEP_SHA1_MGF1SHA1,
                    _ => &OAEP_SHA256_MGF1SHA256,
                };
                OaepPublicEncryptingKey::new(aws_key).and_then(|key| {
                    key.encrypt(oaep, plaintext, &mut ciphertext, None).map(|out| out.len())
                })
            }
        };
        let written = written.map_err(|Unspecified| {
            Error::new(ErrorKind::Internal, format!("encrypting with {algorithm} failed"))
        })?;
        ciphertext.truncate(written);
        Ok(ciphertext)
    }
}
