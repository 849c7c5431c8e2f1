//! Counters of requests and their results.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use serde::Serialize;

use crate::operation::Operation;

/// A snapshot of the counters since the start or the last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// HTTPS requests, including refused ones. Requests to the authority and the control interface
    /// are not counted.
    pub requests: u64,
    /// TCP connections accepted by the HTTPS listener.
    pub connections: u64,
    /// TLS handshakes that completed.
    pub tls_handshakes: u64,
    /// Access tokens issued by library call, identity endpoint or authority.
    pub tokens_issued: u64,
    /// Token requests to the identity endpoints and the authority, including refused ones.
    pub token_requests: u64,
    /// Requests refused with 401: without a token, or with an invalid one.
    pub unauthorized: u64,
    /// Requests refused with 403 because of a missing permission.
    pub forbidden: u64,
    /// Requests refused with 429 because a limit was reached.
    pub throttled: u64,
    /// Faults that took effect.
    pub faults: u64,
    /// Authorized requests to sign.
    pub sign: u64,
    /// Authorized requests for a key's public part and attributes.
    pub get_key: u64,
    /// Authorized requests by operation name, see [`Operation::name`].
    pub operations: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) requests: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) tls_handshakes: AtomicU64,
    pub(crate) tokens_issued: AtomicU64,
    pub(crate) token_requests: AtomicU64,
    pub(crate) unauthorized: AtomicU64,
    pub(crate) forbidden: AtomicU64,
    pub(crate) throttled: AtomicU64,
    pub(crate) faults: AtomicU64,
    operations: ByOperation,
}

/// One counter for each operation, by its discriminant.
#[derive(Debug)]
struct ByOperation([AtomicU64; Operation::ALL.len()]);

impl Default for ByOperation {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    pub(crate) fn operation(&self, operation: Operation) {
        count(&self.operations.0[operation as usize]);
    }

    pub(crate) fn snapshot(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let of = |operation: Operation| read(&self.operations.0[operation as usize]);
        Stats {
            requests: read(&self.requests),
            connections: read(&self.connections),
            tls_handshakes: read(&self.tls_handshakes),
            tokens_issued: read(&self.tokens_issued),
            token_requests: read(&self.token_requests),
            unauthorized: read(&self.unauthorized),
            forbidden: read(&self.forbidden),
            throttled: read(&self.throttled),
            faults: read(&self.faults),
            sign: of(Operation::Sign),
            get_key: of(Operation::GetKey),
            operations: Operation::ALL
                .iter()
                .map(|operation| (operation.name(), of(*operation)))
                .filter(|(_, count)| *count > 0)
                .collect(),
        }
    }

    pub(crate) fn reset(&self) {
        let named = [
            &self.requests,
            &self.connections,
            &self.tls_handshakes,
            &self.tokens_issued,
            &self.token_requests,
            &self.unauthorized,
            &self.forbidden,
            &self.throttled,
            &self.faults,
        ];
        for counter in named.into_iter().chain(&self.operations.0) {
            counter.store(0, Ordering::Relaxed);
        }
    }
}

impl Stats {
    /// Authorized requests of one kind.
    #[must_use]
    pub fn operation(&self, operation: Operation) -> u64 {
        self.operations.get(operation.name()).copied().unwrap_or(0)
    }
}
