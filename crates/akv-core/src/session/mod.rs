//! The layer under every key and vault: settings, tokens that survive `fork`, and the connections
//! of a process.
//!
//! [`crate::Client`], keys and vaults each hold a [`Session`] and depend only on it, not on each
//! other.

mod authorize;
mod circuit;
mod connections;
mod direct;
mod fail_fast;
mod hedge;
mod token_cache;
mod token_slots;
mod unauthorized;
mod vault_client;

pub(crate) use self::{
    fail_fast::{Kind, Probe, VaultCircuits},
    vault_client::VaultClient,
};

use std::{
    fmt,
    future::Future,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use azure_core::http::{DEFAULT_ALLOWED_HEADER_NAMES, DEFAULT_ALLOWED_QUERY_PARAMETERS};

use self::{connections::Connections, fail_fast::Circuits, token_slots::TokenSlots};
#[cfg(feature = "probe")]
use crate::transport::Http;
use crate::{
    Error, ErrorKind, KeyReference, Result, Settings,
    counters::Metrics,
    process::{Current, PerProcess, driver::Wait},
    transport::{Failure, with_deadline},
};

/// What all keys and vaults of a client share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Session(Arc<Shared>);

struct Shared {
    settings: Settings,
    /// How callers of the blocking facade wait.
    wait: Option<Arc<dyn Wait>>,
    tokens: TokenSlots,
    circuits: Circuits,
    connections: PerProcess<Connections>,
    metrics: Arc<Metrics>,
}

impl Session {
    /// A session with these settings. Starts no thread and sends no request.
    pub(crate) fn new(settings: Settings) -> Self {
        Self::with_wait(settings, None)
    }

    /// The same, with a way to wait for callers of the blocking facade.
    pub(crate) fn with_wait(settings: Settings, wait: Option<Arc<dyn Wait>>) -> Self {
        initialize_statics();
        Self(Arc::new(Shared {
            settings,
            wait,
            tokens: TokenSlots::default(),
            circuits: Circuits::default(),
            connections: PerProcess::new(),
            metrics: Arc::default(),
        }))
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn wait(&self) -> Option<&dyn Wait> {
        self.0.wait.as_deref()
    }

    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.0.metrics
    }

    /// Runs an operation that may change the vault that `reference` names.
    pub(crate) async fn run<T, F>(
        &self,
        reference: &KeyReference,
        attempt: impl Fn(Arc<VaultClient>) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.run_on(&self.vault_client(reference)?, self.settings().timeout(), attempt).await.0
    }

    /// Runs an operation within the deadline and the vault's limit of requests in flight. Also
    /// returns whether the vault gave any response.
    pub(crate) async fn run_on<T, F>(
        &self,
        vault: &Arc<VaultClient>,
        timeout: Duration,
        attempt: impl Fn(Arc<VaultClient>) -> F,
    ) -> (Result<T>, bool)
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let metrics = &self.0.metrics;
        let _in_flight = metrics.operation();
        let start = Instant::now();
        let attempts = AtomicU32::new(0);
        let answered = AtomicBool::new(false);
        let outcome = with_deadline(timeout, || async {
            if attempts.fetch_add(1, Relaxed) > 0 {
                metrics.retry();
            }
            // The semaphore is fair.
            let _permit = vault.permits.acquire().await.map_err(|_| {
                Error::new(ErrorKind::Internal, "the semaphore for requests in flight is closed")
            })?;
            attempt(Arc::clone(vault)).await.inspect_err(|failure| {
                if failure.error().status() == Some(429) {
                    metrics.throttled();
                }
                if failure.is_response() {
                    answered.store(true, Relaxed);
                }
            })
        })
        .await;
        let (took, attempts) = (start.elapsed(), attempts.into_inner());
        match &outcome {
            Ok(_) => tracing::debug!(host = vault.host, attempts, ?took, "done"),
            Err(error) => {
                metrics.failure();
                tracing::debug!(host = vault.host, attempts, ?took, %error, "failed");
            }
        }
        let answered = outcome.is_ok() || answered.into_inner();
        (outcome, answered)
    }

    /// The circuits of the vault that `reference` names.
    pub(crate) fn circuits(&self, reference: &KeyReference) -> Arc<VaultCircuits> {
        self.0.circuits.of(reference)
    }

    /// This process's client of the vault that `reference` names.
    ///
    /// # Errors
    /// The key is not allowed, or a setting prevents requests.
    pub(crate) fn vault_client(&self, reference: &KeyReference) -> Result<Arc<VaultClient>> {
        let destination = self.settings().destination(reference)?;
        self.connections()?.vault_client(self, destination)
    }

    /// Keeps the token for the vault that `reference` names fresh as long as this session and its
    /// process live, for the setting `warm`. Must be called inside a runtime.
    ///
    /// # Errors
    /// The key is not allowed, or a setting prevents requests.
    pub(crate) fn keep_token(&self, reference: &KeyReference) -> Result<()> {
        let destination = self.settings().destination(reference)?;
        self.connections()?.tokens(self, &destination.scope).keep();
        Ok(())
    }

    /// This process's HTTP client.
    #[cfg(feature = "probe")]
    pub(crate) fn http(&self) -> Result<Http> {
        Ok(self.connections()?.http().clone())
    }

    fn connections(&self) -> Result<Current<Connections>> {
        self.0.connections.get_or_try_init(|| Connections::new(self))
    }
}

/// Triggers the lazy initialization in libraries. Their locks are not fork-safe: a child that is
/// forked while a thread of its parent holds one waits for ever.
fn initialize_statics() {
    aws_lc_rs::init();
    LazyLock::force(&DEFAULT_ALLOWED_HEADER_NAMES);
    LazyLock::force(&DEFAULT_ALLOWED_QUERY_PARAMETERS);
    drop(azure_core::async_runtime::get_async_runtime());
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("settings", self.settings()).finish_non_exhaustive()
    }
}
