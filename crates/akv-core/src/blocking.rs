//! The same for programs without an async runtime.
//!
//! Operations run on one runtime per process, made by the first of them: never when a library is
//! loaded, and never shared with a child of `fork`, which gets its own. Threads of the runtime are
//! named `akv` and take no signals.

use crate::{
    EncryptionAlgorithm, KeyFile, KeyReference, PublicKey, Result, Settings, SignatureAlgorithm,
    runtime::{block_on, spawn},
};
use std::time::Duration;
use zeroize::Zeroizing;

/// How much longer than the operation's own deadline a caller waits before it gives up on the
/// runtime itself.
const GRACE: Duration = Duration::from_millis(250);

/// Opens keys; see [`crate::Client`].
#[derive(Clone, Debug)]
pub struct Client(crate::Client);

/// A key in a vault; see [`crate::Key`].
#[derive(Clone, Debug)]
pub struct Key {
    key: crate::Key,
    limit: Duration,
}

impl Client {
    /// A client with these settings. Starts nothing.
    pub fn new(settings: Settings) -> Self {
        Self(crate::Client::new(settings))
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        self.0.settings()
    }

    /// Reads a key reference under this client's settings.
    ///
    /// # Errors
    /// See [`Settings::reference`].
    pub fn reference(&self, text: &str) -> Result<KeyReference> {
        self.0.reference(text)
    }

    /// Opens a key; see [`crate::Client::key`].
    ///
    /// # Errors
    /// As the async form.
    pub fn key(&self, reference: &KeyReference) -> Result<Key> {
        // A reference that names no key is refused before a thread is started.
        let (client, reference) = (self.0.clone(), reference.clone());
        self.block(async move { client.key(&reference).await })
    }

    /// Opens the key of a key file; see [`crate::Client::key_from_file`]. With the setting `warm`
    /// token and connection are made ready in the background.
    ///
    /// # Errors
    /// As the async form.
    pub fn key_from_file(&self, file: &KeyFile) -> Result<Key> {
        if let Some(key) = crate::Key::from_complete_file(&self.0, file)? {
            if self.settings().warm() {
                self.warm(key.pinned_reference());
            }
            return Ok(Key { key, limit: self.limit() });
        }
        let (client, file) = (self.0.clone(), file.clone());
        self.block(async move { client.key_from_file(&file).await })
    }

    /// Has token and connection ready before the first operation needs them: asks for the key, in
    /// the background. A failure is told by the operation that meets it too.
    fn warm(&self, reference: &KeyReference) {
        let (client, reference) = (self.0.clone(), reference.clone());
        let outcome = spawn(async move {
            if let Err(error) = client.key(&reference).await {
                tracing::info!(%error, "the connection could not be warmed up");
            }
        });
        if let Err(error) = outcome {
            tracing::info!(%error, "nothing is warmed up");
        }
    }

    fn limit(&self) -> Duration {
        self.settings().timeout() + GRACE
    }

    fn block(
        &self,
        open: impl Future<Output = Result<crate::Key>> + Send + 'static,
    ) -> Result<Key> {
        let limit = self.limit();
        block_on(limit, open).map(|key| Key { key, limit })
    }
}

impl Key {
    /// The reference that the key was opened with.
    pub fn reference(&self) -> &KeyReference {
        self.key.reference()
    }

    /// The reference with the pinned version.
    pub fn pinned_reference(&self) -> &KeyReference {
        self.key.pinned_reference()
    }

    /// The pinned version: 32 hexadecimal digits.
    pub fn version(&self) -> &str {
        self.key.version()
    }

    /// The public half.
    pub fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    /// The handle of this key.
    pub fn key_file(&self) -> KeyFile {
        self.key.key_file()
    }

    /// Signs a digest in the vault; see [`crate::Key::sign`].
    ///
    /// # Errors
    /// As the async form.
    pub fn sign(&self, algorithm: SignatureAlgorithm, digest: &[u8]) -> Result<Vec<u8>> {
        let (key, digest) = (self.key.clone(), digest.to_vec());
        block_on(self.limit, async move { key.sign(algorithm, &digest).await })
    }

    /// Decrypts in the vault; see [`crate::Key::decrypt`].
    ///
    /// # Errors
    /// As the async form.
    pub fn decrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let (key, ciphertext) = (self.key.clone(), ciphertext.to_vec());
        block_on(self.limit, async move { key.decrypt(algorithm, &ciphertext).await })
    }
}
