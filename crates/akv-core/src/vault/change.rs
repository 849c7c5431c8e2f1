//! Creating and rotating keys: requests that must not be executed twice.
//!
//! A request is retried only if the service certainly did not execute it: no connection was made,
//! or it was rejected (429, 401). In every other case the error says that the key may have been
//! created.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use azure_core::http::{RequestContent, Response};
use azure_security_keyvault_keys::models::Key as SdkKey;

use super::{NewKey, Vault};
use crate::{
    AnyKey, ErrorKind, KeyReference, Result,
    key::{Bundle, VaultKey, from_bundle},
    session::VaultClient,
    transport::{Failure, failure, not_executed},
};

impl Vault {
    /// Creates a key. If the vault has a key of this name, it gets a new version.
    ///
    /// ```no_run
    /// use akv_core::{AesSize, NewKey};
    ///
    /// # async fn example(hsm: akv_core::Vault) -> akv_core::Result<()> {
    /// let key = hsm.create("kek", NewKey::aes(AesSize::Bits256)).await?; // a SymmetricKey
    /// println!("created {}", key.pinned_reference());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `name` is not a valid key name or the service has no such keys (no request is sent then), or
    /// the service fails or refuses. If the error
    /// [`may_have_happened`](crate::Error::may_have_happened), the key may or may not have been
    /// created: look at its [`versions`](Self::versions) before you retry.
    pub async fn create<K: VaultKey>(&self, name: &str, key: NewKey<K>) -> Result<K> {
        let reference = self.reference.with_key(name)?;
        let during = || format!("create {reference}");
        let parameters =
            key.parameters(reference.kind()).map_err(|error| error.during(during()))?;
        let bundle = self.change(&reference, |vault| {
            let parameters = parameters.clone();
            async move {
                let body = RequestContent::try_from(parameters)?;
                vault.keys.create_key(name, body, None).await
            }
        });
        let bundle = bundle.await.map_err(|error| error.during(during()))?;
        from_bundle(&self.session, &reference, bundle)
            .map_err(|error| error.uncertain().during(during()))
    }

    /// Creates a new version of a key, like the current one but with new key material. Keys that
    /// were opened before keep their versions.
    ///
    /// ```no_run
    /// # async fn example(client: akv_core::Client, old: akv_core::Key) -> akv_core::Result<()> {
    /// let vault = client.vault(&old.reference().vault())?;
    /// let new = vault.rotate("web").await?;
    /// assert_ne!(new.version(), old.version()); // the old version still signs
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `name` is not a valid key name, there is no such key, or the service fails or refuses. If
    /// the error [`may_have_happened`](crate::Error::may_have_happened), the key may or may not
    /// have been rotated: look at its [`versions`](Self::versions) before you retry.
    pub async fn rotate(&self, name: &str) -> Result<AnyKey> {
        let reference = self.reference.with_key(name)?;
        let during = || format!("rotate {reference}");
        let bundle = self
            .change(&reference, |vault| async move { vault.keys.rotate_key(name, None).await })
            .await
            .map_err(|error| error.during(during()))?;
        from_bundle(&self.session, &reference, bundle)
            .map_err(|error| error.uncertain().during(during()))
    }

    async fn change<F>(
        &self,
        reference: &KeyReference,
        request: impl Fn(Arc<VaultClient>) -> F,
    ) -> Result<Bundle>
    where
        F: Future<Output = azure_core::Result<Response<SdkKey>>>,
    {
        // Whether a request is in flight, whose effect is unknown if the deadline passes.
        let pending = AtomicBool::new(false);
        let (pending, request) = (&pending, &request);
        let result = self.session.run(reference, |vault| async move {
            pending.store(true, Ordering::Relaxed);
            let answer = request(Arc::clone(&vault)).await;
            let outcome = answer.map_err(|error| {
                let harmless = not_executed(&error);
                if harmless {
                    pending.store(false, Ordering::Relaxed);
                }
                retryable_if(failure(error, reference, &vault.host), harmless)
            });
            // A success that cannot be parsed must not be retried.
            let answer = outcome?
                .into_model()
                .map_err(|error| retryable_if(failure(error, reference, &vault.host), false))?;
            Bundle::read(answer, reference).map_err(|error| Failure::Final(error.uncertain()))
        });
        result.await.map_err(|error| {
            let cut_off = error.kind() == ErrorKind::Timeout && pending.load(Ordering::Relaxed);
            if cut_off { error.uncertain() } else { error }
        })
    }
}

/// Permits a retry only if that is `harmless`.
fn retryable_if(failure: Failure, harmless: bool) -> Failure {
    match failure {
        Failure::Transient(error, _) | Failure::StaleConnection(error) if !harmless => {
            Failure::Final(error.uncertain())
        }
        other => other,
    }
}
