//! Symmetric keys.

use super::limit;
use crate::{
    CbcAlgorithm, GcmAlgorithm, GcmCiphertext, KeyAttributes, KeyReference, KeyWrapAlgorithm,
    Result, runtime::block_on,
};
use zeroize::Zeroizing;

/// A symmetric key in a Managed HSM; see [`crate::SymmetricKey`].
#[derive(Clone, Debug)]
pub struct SymmetricKey(crate::SymmetricKey);

impl SymmetricKey {
    /// The reference that the key was opened with.
    pub fn reference(&self) -> &KeyReference {
        self.0.reference()
    }

    /// The reference with the pinned version.
    pub fn pinned_reference(&self) -> &KeyReference {
        self.0.pinned_reference()
    }

    /// The pinned version: 32 hexadecimal digits.
    pub fn version(&self) -> &str {
        self.0.version()
    }

    /// The attributes; see [`crate::SymmetricKey::attributes`].
    pub fn attributes(&self) -> Option<&KeyAttributes> {
        self.0.attributes()
    }

    /// Wraps a key; see [`crate::SymmetricKey::wrap_key`].
    ///
    /// # Errors
    /// As the async form.
    pub fn wrap_key(&self, algorithm: KeyWrapAlgorithm, key: &[u8]) -> Result<Vec<u8>> {
        let plaintext = Zeroizing::new(key.to_vec());
        self.block(move |key| async move { key.wrap_key(algorithm, &plaintext).await })
    }

    /// Unwraps a key; see [`crate::SymmetricKey::unwrap_key`].
    ///
    /// # Errors
    /// As the async form.
    pub fn unwrap_key(
        &self,
        algorithm: KeyWrapAlgorithm,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let wrapped = wrapped.to_vec();
        self.block(move |key| async move { key.unwrap_key(algorithm, &wrapped).await })
    }

    /// Encrypts in CBC mode; see [`crate::SymmetricKey::encrypt`].
    ///
    /// # Errors
    /// As the async form.
    pub fn encrypt(
        &self,
        algorithm: CbcAlgorithm,
        iv: &[u8; 16],
        plaintext: &[u8],
    ) -> Result<Vec<u8>> {
        let (iv, plaintext) = (*iv, Zeroizing::new(plaintext.to_vec()));
        self.block(move |key| async move { key.encrypt(algorithm, &iv, &plaintext).await })
    }

    /// Decrypts in CBC mode; see [`crate::SymmetricKey::decrypt`].
    ///
    /// # Errors
    /// As the async form.
    pub fn decrypt(
        &self,
        algorithm: CbcAlgorithm,
        iv: &[u8; 16],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let (iv, ciphertext) = (*iv, ciphertext.to_vec());
        self.block(move |key| async move { key.decrypt(algorithm, &iv, &ciphertext).await })
    }

    /// Encrypts and authenticates in GCM mode; see [`crate::SymmetricKey::seal`].
    ///
    /// # Errors
    /// As the async form.
    pub fn seal(
        &self,
        algorithm: GcmAlgorithm,
        plaintext: &[u8],
        aad: &[u8],
    ) -> Result<GcmCiphertext> {
        let (plaintext, aad) = (Zeroizing::new(plaintext.to_vec()), aad.to_vec());
        self.block(move |key| async move { key.seal(algorithm, &plaintext, &aad).await })
    }

    /// Decrypts in GCM mode; see [`crate::SymmetricKey::open`].
    ///
    /// # Errors
    /// As the async form.
    pub fn open(
        &self,
        algorithm: GcmAlgorithm,
        sealed: &GcmCiphertext,
        aad: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let (sealed, aad) = (sealed.clone(), aad.to_vec());
        self.block(move |key| async move { key.open(algorithm, &sealed, &aad).await })
    }

    fn block<T: Send + 'static, F: Future<Output = Result<T>> + Send + 'static>(
        &self,
        operation: impl FnOnce(crate::SymmetricKey) -> F,
    ) -> Result<T> {
        block_on(limit(self.0.settings()), operation(self.0.clone()))
    }
}

impl From<crate::SymmetricKey> for SymmetricKey {
    fn from(key: crate::SymmetricKey) -> Self {
        Self(key)
    }
}
