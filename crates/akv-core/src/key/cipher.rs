//! Local encryption; decryption, wrapping and unwrapping in the vault.

use zeroize::Zeroizing;

use super::{
    Key,
    request::{Action, Parameters},
};
use crate::{EncryptionAlgorithm, Result};

impl Key {
    /// Encrypts with the public half. Sends no request.
    ///
    /// ```no_run
    /// use akv_core::EncryptionAlgorithm::RsaOaep256;
    ///
    /// # fn example(key: akv_core::Key, data_key: &[u8; 32]) -> akv_core::Result<()> {
    /// let ciphertext = key.encrypt(RsaOaep256, data_key)?;
    /// assert_eq!(ciphertext.len() * 8, key.public_key().bits());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`PublicKey::encrypt`](crate::PublicKey::encrypt).
    pub fn encrypt(&self, algorithm: EncryptionAlgorithm, plaintext: &[u8]) -> Result<Vec<u8>> {
        self.public_key()
            .encrypt(algorithm, plaintext)
            .map_err(|error| error.during(self.doing("encrypt", algorithm)))
    }

    /// Decrypts in the vault.
    ///
    /// ```no_run
    /// use akv_core::EncryptionAlgorithm::RsaOaep256;
    ///
    /// # async fn example(key: akv_core::Key, ciphertext: &[u8]) -> akv_core::Result<()> {
    /// let plaintext = key.decrypt(RsaOaep256, ciphertext).await?; // wiped when it is dropped
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The algorithm or the ciphertext's length does not fit the key (no request is sent then), or
    /// the service fails or refuses within the deadline.
    pub async fn decrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        self.decrypt_or_unwrap("decrypt", Action::Decrypt, algorithm, ciphertext).await
    }

    /// Wraps a key: encrypts it in the vault. It is the same computation as
    /// [`encrypt`](Self::encrypt), but the service does it, so that it is recorded in the vault's
    /// logs.
    ///
    /// ```no_run
    /// use akv_core::EncryptionAlgorithm::RsaOaep256;
    ///
    /// # async fn example(key: akv_core::Key, data_key: &[u8; 32]) -> akv_core::Result<()> {
    /// let wrapped = key.wrap_key(RsaOaep256, data_key).await?;
    /// assert_eq!(*key.unwrap_key(RsaOaep256, &wrapped).await?, data_key);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The algorithm does not fit the key or the wrapped key is too long (no request is sent then),
    /// or the service fails or refuses within the deadline.
    pub async fn wrap_key(&self, algorithm: EncryptionAlgorithm, key: &[u8]) -> Result<Vec<u8>> {
        let during = || self.doing("wrap a key", algorithm);
        let size = algorithm
            .check_plaintext(self.public_key(), key)
            .map_err(|error| error.during(during()))?
            .size();
        let parameters = Parameters::new(algorithm.name(), key, size..=size);
        let answer = self.0.handle.operate(Action::WrapKey, &parameters).await;
        Ok(answer.map_err(|error| error.during(during()))?.value.to_vec())
    }

    /// Unwraps a key in the vault: the inverse of [`wrap_key`](Self::wrap_key), and of
    /// [`encrypt`](Self::encrypt).
    ///
    /// ```no_run
    /// use akv_core::EncryptionAlgorithm::RsaOaep256;
    ///
    /// # async fn example(key: akv_core::Key, wrapped: &[u8]) -> akv_core::Result<()> {
    /// let data_key = key.unwrap_key(RsaOaep256, wrapped).await?; // wiped when it is dropped
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`decrypt`](Self::decrypt).
    pub async fn unwrap_key(
        &self,
        algorithm: EncryptionAlgorithm,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        self.decrypt_or_unwrap("unwrap a key", Action::UnwrapKey, algorithm, wrapped).await
    }

    async fn decrypt_or_unwrap(
        &self,
        verb: &str,
        action: Action,
        algorithm: EncryptionAlgorithm,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let during = || self.doing(verb, algorithm);
        let key = algorithm
            .check_ciphertext(self.public_key(), ciphertext)
            .map_err(|error| error.during(during()))?;
        let longest = algorithm.max_plaintext_len(key);
        let parameters = Parameters::new(algorithm.name(), ciphertext, 0..=longest);
        let answer = self.0.handle.operate(action, &parameters).await;
        Ok(answer.map_err(|error| error.during(during()))?.value)
    }
}
