//! Deleting keys, and purging deleted keys.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::Vault;
use crate::{
    KeyReference, Result,
    session::VaultClient,
    transport::{failure, not_executed},
};

impl Vault {
    /// Deletes a key with all its versions: it can no longer be used. The service keeps it for the
    /// vault's retention period, in which it can be recovered and its name is taken.
    ///
    /// ```no_run
    /// # async fn example(vault: akv_core::Vault) -> akv_core::Result<()> {
    /// vault.delete("old").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `name` is not a valid key name, there is no such key, or the service fails or refuses.
    pub async fn delete(&self, name: &str) -> Result<()> {
        let reference = self.reference.with_key(name)?;
        self.remove(
            &reference,
            |vault| async move { vault.keys.delete_key(name, None).await.map(drop) },
        )
        .await
        .map_err(|error| error.during(format!("delete {reference}")))
    }

    /// Purges a deleted key permanently: it cannot be recovered, and its name is free again.
    ///
    /// A vault takes some seconds to delete a key; until then there is nothing to purge, and the
    /// service refuses with status 404 or 409.
    ///
    /// ```no_run
    /// # async fn example(vault: akv_core::Vault) -> akv_core::Result<()> {
    /// match vault.purge("old").await {
    ///     Err(error) if matches!(error.status(), Some(404 | 409)) => println!("not deleted yet"),
    ///     result => result?,
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `name` is not a valid key name, there is no deleted key of this name, the vault is protected
    /// from purges, or the service fails or refuses.
    pub async fn purge(&self, name: &str) -> Result<()> {
        let reference = self.reference.with_key(name)?;
        self.remove(&reference, |vault| async move {
            vault.keys.purge_deleted_key(name, None).await.map(drop)
        })
        .await
        .map_err(|error| error.during(format!("purge {reference}")))
    }

    /// Removing twice is harmless, so it is retried like a read-only operation. If the effect of an
    /// earlier request is unknown, "not found" means that it succeeded.
    async fn remove<F>(
        &self,
        reference: &KeyReference,
        request: impl Fn(Arc<VaultClient>) -> F,
    ) -> Result<()>
    where
        F: Future<Output = azure_core::Result<()>>,
    {
        let in_doubt = AtomicBool::new(false);
        let (in_doubt, request) = (&in_doubt, &request);
        self.session
            .run(reference, |vault| async move {
                let Err(error) = request(Arc::clone(&vault)).await else {
                    return Ok(());
                };
                let executed = !not_executed(&error);
                let failure = failure(error, reference, &vault.host);
                if failure.error().status() == Some(404) && in_doubt.load(Ordering::Relaxed) {
                    return Ok(());
                }
                in_doubt.fetch_or(executed, Ordering::Relaxed);
                Err(failure)
            })
            .await
    }
}
