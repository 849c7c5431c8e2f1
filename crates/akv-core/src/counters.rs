//! Counters of a client.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// What a [`Client`](crate::Client) and its clones have done so far in this process and, before a
/// `fork`, in its parents. The numbers are read one after the other, so they are not an atomic
/// snapshot.
///
/// ```
/// use akv_core::{Client, Counters, Settings};
///
/// /// A message for the operator.
/// fn health(before: Counters, now: Counters) -> Option<&'static str> {
///     let throttled = now.throttled > before.throttled;
///     let failed = now.failures > before.failures;
///     throttled.then_some("too many requests").or(failed.then_some("operations fail"))
/// }
/// let client = Client::new(Settings::builder().build()?);
/// assert_eq!(health(Counters::default(), client.counters()), None);
/// # Ok::<(), akv_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Operations started: loads, signatures and everything else that sends a request.
    pub operations: u64,
    /// Operations that failed.
    pub failures: u64,
    /// Attempts after the first one of an operation.
    pub retries: u64,
    /// Second requests because of slow responses (setting `hedge-after`).
    pub hedges: u64,
    /// Throttled requests (HTTP 429).
    pub throttled: u64,
    /// Tokens obtained from a credential.
    pub token_refreshes: u64,
    /// Connections opened, to vaults and to identity endpoints.
    pub connections: u64,
    /// Operations in flight.
    pub in_flight: u64,
}

/// The atomics behind [`Counters`].
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    operations: AtomicU64,
    failures: AtomicU64,
    retries: AtomicU64,
    hedges: AtomicU64,
    throttled: AtomicU64,
    token_refreshes: AtomicU64,
    connections: AtomicU64,
    in_flight: AtomicU64,
}

impl Metrics {
    pub(crate) fn read(&self) -> Counters {
        Counters {
            operations: self.operations.load(Relaxed),
            failures: self.failures.load(Relaxed),
            retries: self.retries.load(Relaxed),
            hedges: self.hedges.load(Relaxed),
            throttled: self.throttled.load(Relaxed),
            token_refreshes: self.token_refreshes.load(Relaxed),
            connections: self.connections.load(Relaxed),
            in_flight: self.in_flight.load(Relaxed),
        }
    }

    /// Counts an operation as in flight until the result is dropped.
    pub(crate) fn operation(self: &Arc<Self>) -> InFlight {
        self.operations.fetch_add(1, Relaxed);
        self.in_flight.fetch_add(1, Relaxed);
        InFlight(Arc::clone(self))
    }

    pub(crate) fn failure(&self) {
        self.failures.fetch_add(1, Relaxed);
    }

    pub(crate) fn retry(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    pub(crate) fn hedge(&self) {
        self.hedges.fetch_add(1, Relaxed);
    }

    pub(crate) fn throttled(&self) {
        self.throttled.fetch_add(1, Relaxed);
    }

    pub(crate) fn token(&self) {
        self.token_refreshes.fetch_add(1, Relaxed);
    }

    pub(crate) fn connection(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    /// To be called in a child: the operations in flight in its parent are not in flight here.
    pub(crate) fn begin_process(&self) {
        self.in_flight.store(0, Relaxed);
    }
}

/// An operation in flight. Its caller may have given up.
pub(crate) struct InFlight(Arc<Metrics>);

impl Drop for InFlight {
    fn drop(&mut self) {
        // In a child, operations from before the fork are no longer counted.
        let _ = self.0.in_flight.fetch_update(Relaxed, Relaxed, |number| number.checked_sub(1));
    }
}
