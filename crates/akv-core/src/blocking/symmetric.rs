//! Symmetric keys.

use std::ops::Deref;

use zeroize::Zeroizing;

use super::block_on;
use crate::{CbcAlgorithm, GcmAlgorithm, GcmCiphertext, KeyFile, KeyId, KeyWrapAlgorithm, Result};

/// A symmetric key in a Managed HSM; see [`crate::SymmetricKey`].
///
/// ```no_run
/// use akv_core::KeyWrapAlgorithm::A256Kw;
///
/// # fn example(client: akv_core::blocking::Client, data_key: &[u8; 32]) -> akv_core::Result<()> {
/// let key = client.symmetric_key(&client.reference("managedHsm:myHsm:kek")?)?;
/// assert!(key.pinned_reference().to_string().ends_with(key.version()));
/// assert_eq!(key.reference().version(), None); // as it was opened
/// assert!(key.attributes().is_some_and(|attributes| attributes.enabled()));
/// let wrapped = key.wrap_key(A256Kw, data_key)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SymmetricKey(crate::SymmetricKey);

impl SymmetricKey {
    /// Wraps a key; see [`crate::SymmetricKey::wrap_key`].
    ///
    /// ```no_run
    /// use akv_core::KeyWrapAlgorithm::A256Kw;
    ///
    /// # fn example(
    /// #     key: akv_core::blocking::SymmetricKey, data_key: &[u8; 32],
    /// # ) -> akv_core::Result<()> {
    /// let wrapped = key.wrap_key(A256Kw, data_key)?;
    /// assert_eq!(wrapped.len(), 32 + 8);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the async form.
    pub fn wrap_key(&self, algorithm: KeyWrapAlgorithm, key: &[u8]) -> Result<Vec<u8>> {
        let plaintext = Zeroizing::new(key.to_vec());
        self.block(move |key| async move { key.wrap_key(algorithm, &plaintext).await })
    }

    /// Unwraps a key; see [`crate::SymmetricKey::unwrap_key`].
    ///
    /// ```no_run
    /// use akv_core::KeyWrapAlgorithm::A256Kw;
    ///
    /// # fn example(
    /// #     key: akv_core::blocking::SymmetricKey, wrapped: &[u8],
    /// # ) -> akv_core::Result<()> {
    /// let data_key = key.unwrap_key(A256Kw, wrapped)?; // wiped when it is dropped
    /// # Ok(())
    /// # }
    /// ```
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

    /// Wraps a key with the algorithm for this key's size; see
    /// [`crate::SymmetricKey::wrap_key_auto`].
    ///
    /// # Errors
    /// As the async form.
    pub fn wrap_key_auto(&self, key: &[u8]) -> Result<Vec<u8>> {
        let plaintext = Zeroizing::new(key.to_vec());
        self.block(move |key| async move { key.wrap_key_auto(&plaintext).await })
    }

    /// Unwraps a key with the algorithm for this key's size; see
    /// [`crate::SymmetricKey::unwrap_key_auto`].
    ///
    /// # Errors
    /// As the async form.
    pub fn unwrap_key_auto(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let wrapped = wrapped.to_vec();
        self.block(move |key| async move { key.unwrap_key_auto(&wrapped).await })
    }

    /// The key file that names this version; see [`crate::SymmetricKey::key_file`].
    pub fn key_file(&self) -> KeyFile {
        self.0.key_file()
    }

    /// Starts an encryption in CBC mode; see [`crate::SymmetricKey::encrypt_stream`].
    pub fn encrypt_stream(&self, algorithm: CbcAlgorithm, iv: &[u8; 16]) -> CbcStream {
        CbcStream(self.0.encrypt_stream(algorithm, iv))
    }

    /// Starts a decryption in CBC mode; see [`crate::SymmetricKey::decrypt_stream`].
    pub fn decrypt_stream(&self, algorithm: CbcAlgorithm, iv: &[u8; 16]) -> CbcStream {
        CbcStream(self.0.decrypt_stream(algorithm, iv))
    }

    /// Encrypts in CBC mode; see [`crate::SymmetricKey::encrypt`].
    ///
    /// ```no_run
    /// use akv_core::CbcAlgorithm::A256CbcPad;
    ///
    /// # fn example(key: akv_core::blocking::SymmetricKey, iv: &[u8; 16]) -> akv_core::Result<()> {
    /// let ciphertext = key.encrypt(A256CbcPad, iv, b"a secret")?;
    /// assert_eq!(ciphertext.len(), 16); // one block, of which half is padding
    /// # Ok(())
    /// # }
    /// ```
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
    /// ```no_run
    /// use akv_core::CbcAlgorithm::A256CbcPad;
    ///
    /// # fn example(
    /// #     key: akv_core::blocking::SymmetricKey, iv: [u8; 16], ciphertext: &[u8],
    /// # ) -> akv_core::Result<()> {
    /// let plaintext = key.decrypt(A256CbcPad, &iv, ciphertext)?;
    /// # Ok(())
    /// # }
    /// ```
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
    /// ```no_run
    /// use akv_core::GcmAlgorithm::A256Gcm;
    ///
    /// # fn example(key: akv_core::blocking::SymmetricKey) -> akv_core::Result<()> {
    /// let sealed = key.seal(A256Gcm, b"a secret", b"its name")?;
    /// assert_eq!((sealed.ciphertext.len(), sealed.tag.len()), (8, 16));
    /// # Ok(())
    /// # }
    /// ```
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
    /// ```no_run
    /// use akv_core::GcmAlgorithm::A256Gcm;
    ///
    /// # fn example(
    /// #     key: akv_core::blocking::SymmetricKey, sealed: akv_core::GcmCiphertext,
    /// # ) -> akv_core::Result<()> {
    /// let plaintext = key.open(A256Gcm, &sealed, b"its name")?;
    /// assert!(key.open(A256Gcm, &sealed, b"another name").is_err());
    /// # Ok(())
    /// # }
    /// ```
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
        block_on(self.0.session(), operation(self.0.clone()))
    }
}

impl From<crate::SymmetricKey> for SymmetricKey {
    fn from(key: crate::SymmetricKey) -> Self {
        Self(key)
    }
}

/// A CBC encryption or decryption of data in pieces; see [`crate::CbcStream`]. All requests of a
/// piece share one deadline here.
///
/// ```no_run
/// use akv_core::CbcAlgorithm::A256CbcPad;
///
/// # fn example(key: akv_core::blocking::SymmetricKey, iv: [u8; 16]) -> akv_core::Result<()> {
/// let mut stream = key.encrypt_stream(A256CbcPad, &iv);
/// let mut ciphertext = stream.update(b"a secret of more than one block")?.to_vec();
/// ciphertext.extend_from_slice(&stream.finish()?);
/// assert_eq!(ciphertext.len(), 32);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CbcStream(crate::CbcStream);

impl CbcStream {
    /// Length of the output of the next update; see [`crate::CbcStream::output_len`].
    pub fn output_len(&self, len: usize) -> usize {
        self.0.output_len(len)
    }

    /// The last block of ciphertext so far; see [`crate::CbcStream::iv`].
    pub fn iv(&self) -> &[u8; 16] {
        self.0.iv()
    }

    /// Switches padding on or off from now on.
    pub fn set_padding(&mut self, pads: bool) {
        self.0.set_padding(pads);
    }

    /// Takes a piece and returns the complete blocks; see [`crate::CbcStream::update`].
    ///
    /// # Errors
    /// As the async form.
    pub fn update(&mut self, piece: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let piece = Zeroizing::new(piece.to_vec());
        self.step(|mut stream| async move { Ok((stream.update(&piece).await?, stream)) })
    }

    /// Returns the rest; see [`crate::CbcStream::finish`].
    ///
    /// # Errors
    /// As the async form.
    pub fn finish(&mut self) -> Result<Zeroizing<Vec<u8>>> {
        self.step(|mut stream| async move { Ok((stream.finish().await?, stream)) })
    }

    /// Runs one step on a copy, which replaces the original if the step succeeds.
    fn step<F>(&mut self, step: impl FnOnce(crate::CbcStream) -> F) -> Result<Zeroizing<Vec<u8>>>
    where
        F: Future<Output = Result<(Zeroizing<Vec<u8>>, crate::CbcStream)>> + Send + 'static,
    {
        let (output, stream) = block_on(self.0.key().session(), step(self.0.clone()))?;
        self.0 = stream;
        Ok(output)
    }
}

impl Deref for SymmetricKey {
    type Target = KeyId;

    fn deref(&self) -> &KeyId {
        &self.0
    }
}
