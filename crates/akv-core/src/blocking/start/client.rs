//! Operations of a client that are started and left: loading keys, and any other.

use std::convert::identity;

use super::super::{AnyKey, Client, Key, Pending, SymmetricKey};
use crate::{Certificate, KeyFile, KeyReference, Result, process::driver::spawn};

/// Operations that return at once, as a [`Pending`]. Each has a method of the same name without
/// `start_`, which also waits.
impl Client {
    /// Starts any operation of the async API, including those without a method of their own here.
    ///
    /// ```no_run
    /// # fn example(client: akv_core::blocking::Client) -> akv_core::Result<()> {
    /// let vault = client.reference("vault:myVault:")?;
    /// let rotation = client.start(|client| async move { client.vault(&vault)?.rotate("web").await })?;
    /// // Something else meanwhile.
    /// println!("version {}", rotation.wait()?.version());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The runtime cannot be started. All other errors are in the result.
    pub fn start<T: Send + 'static, F: Future<Output = Result<T>> + Send + 'static>(
        &self,
        operation: impl FnOnce(crate::Client) -> F,
    ) -> Result<Pending<T>> {
        Pending::start(self.0.session(), operation(self.0.clone()))
    }

    /// Starts [`key`](Self::key).
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_key(&self, reference: &KeyReference) -> Result<Pending<Key>> {
        self.start_load(reference.clone(), |client, reference| async move {
            client.key(&reference).await.map(Key::from)
        })
    }

    /// Starts [`symmetric_key`](Self::symmetric_key).
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_symmetric_key(&self, reference: &KeyReference) -> Result<Pending<SymmetricKey>> {
        self.start_load(reference.clone(), |client, reference| async move {
            client.symmetric_key(&reference).await.map(SymmetricKey::from)
        })
    }

    /// Starts [`any_key`](Self::any_key).
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_any_key(&self, reference: &KeyReference) -> Result<Pending<AnyKey>> {
        self.start_load(reference.clone(), |client, reference| async move {
            client.any_key(&reference).await.map(AnyKey::from)
        })
    }

    /// Starts [`key_from_file`](Self::key_from_file). For a complete file, the result is there at
    /// once.
    ///
    /// # Errors
    /// As [`start`](Self::start); or the file does not name a key.
    pub fn start_key_from_file(&self, file: &KeyFile) -> Result<Pending<Key>> {
        self.start_file(file, identity)
    }

    /// Starts [`any_key_from_file`](Self::any_key_from_file). For a complete file, the result is
    /// there at once.
    ///
    /// # Errors
    /// As [`start_key_from_file`](Self::start_key_from_file).
    pub fn start_any_key_from_file(&self, file: &KeyFile) -> Result<Pending<AnyKey>> {
        match file.public_key() {
            Some(_) => self.start_file(file, AnyKey::Asymmetric),
            None => self.start_any_key(&self.reference(file.reference())?),
        }
    }

    /// Starts [`certificate`](Self::certificate).
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_certificate(&self, reference: &KeyReference) -> Result<Pending<Certificate>> {
        let reference = reference.clone();
        self.start(|client| async move { client.certificate(&reference).await })
    }

    /// Loads the key pair of a file. A complete file starts no thread, unless `warm` is set.
    fn start_file<K: Send + 'static>(
        &self,
        file: &KeyFile,
        into: impl FnOnce(Key) -> K + Send + 'static,
    ) -> Result<Pending<K>> {
        if let Some(key) = crate::Key::from_complete_file(self.0.session(), file)? {
            if self.settings().warm() {
                self.warm(key.pinned_reference());
            }
            return Ok(into(key.into()).into());
        }
        let file = file.clone();
        self.start_load(self.reference(file.reference())?, |client, _| async move {
            client.key_from_file(&file).await.map(|key| into(key.into()))
        })
    }

    /// Loads a key by requests. With the setting `warm`, its token is kept fresh from then on.
    fn start_load<T: Send + 'static, F: Future<Output = Result<T>> + Send + 'static>(
        &self,
        reference: KeyReference,
        load: impl FnOnce(crate::Client, KeyReference) -> F,
    ) -> Result<Pending<T>> {
        let warm = self.settings().warm();
        self.start(|client| {
            let loading = load(client.clone(), reference.clone());
            async move {
                let loaded = loading.await?;
                if warm {
                    client.session().keep_token(&reference)?;
                }
                Ok(loaded)
            }
        })
    }

    /// Prepares token and connection before the first operation needs them, and keeps the token
    /// fresh, by requesting the key in the background. An operation that meets the same failure
    /// reports it.
    fn warm(&self, reference: &KeyReference) {
        let (client, reference) = (self.0.clone(), reference.clone());
        let outcome = spawn(Box::pin(async move {
            let kept = client.session().keep_token(&reference);
            if let Err(error) = kept.and(client.key(&reference).await) {
                tracing::info!(%error, "the connection could not be warmed up");
            }
        }));
        if let Err(error) = outcome {
            tracing::info!(%error, "nothing is warmed up");
        }
    }
}
