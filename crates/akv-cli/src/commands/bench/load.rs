//! Concurrent signatures for some time.

use std::time::{Duration, Instant};

use akv_core::{Client, Error, Key, SignatureAlgorithm};
use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use super::internal;
use crate::exit::{Failure, Result};

/// The maximum latency of the histogram, in microseconds: ten minutes.
const LONGEST: u64 = 600_000_000;

/// The repeated operation.
pub(super) struct Load {
    client: Client,
    key: Key,
    algorithm: SignatureAlgorithm,
    digest: Vec<u8>,
}

/// The results of one step.
pub(super) struct Step {
    pub(super) at_once: u32,
    pub(super) took: Duration,
    pub(super) signatures: u64,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
    pub(super) longest: Duration,
    /// Responses with HTTP 429.
    pub(super) throttled: u64,
    pub(super) retries: u64,
    pub(super) failures: u64,
    pub(super) first_error: Option<Error>,
}

/// The results of one of the concurrent tasks.
struct Seen {
    latencies: Histogram<u64>,
    failures: u64,
    first_error: Option<Error>,
}

impl Seen {
    fn new() -> Result<Self> {
        let latencies = Histogram::new_with_bounds(1, LONGEST, 3);
        let latencies = latencies.map_err(|error| internal(&error))?;
        Ok(Self { latencies, failures: 0, first_error: None })
    }

    fn add(&mut self, other: Self) -> Result<()> {
        self.failures += other.failures;
        self.first_error = self.first_error.take().or(other.first_error);
        self.latencies.add(other.latencies).map_err(|error| internal(&error))
    }
}

impl Load {
    pub(super) fn new(client: &Client, key: Key, algorithm: SignatureAlgorithm) -> Result<Self> {
        let mut digest = vec![0; algorithm.digest_len().unwrap_or(32)];
        // Random bytes, so that the signature has no meaning.
        aws_lc_rs::rand::fill(&mut digest)
            .map_err(|_| Failure::System("cannot generate random numbers".to_owned()))?;
        Ok(Self { client: client.clone(), key, algorithm, digest })
    }

    pub(super) fn reference(&self) -> String {
        self.key.pinned_reference().to_string()
    }

    pub(super) async fn once(&self) -> Result<()> {
        self.key.sign(self.algorithm, &self.digest).await?;
        Ok(())
    }

    /// Signs for `length`; operations in flight are completed.
    ///
    /// # Errors
    /// No signature succeeded.
    pub(super) async fn run(&self, at_once: u32, length: Duration) -> Result<Step> {
        let (before, start) = (self.client.counters(), Instant::now());
        let mut tasks = JoinSet::new();
        for _ in 0..at_once {
            let (key, digest, algorithm) = (self.key.clone(), self.digest.clone(), self.algorithm);
            let mut seen = Seen::new()?;
            tasks.spawn(async move {
                while start.elapsed() < length {
                    let begun = Instant::now();
                    match key.sign(algorithm, &digest).await {
                        Ok(_) => {
                            let took = u64::try_from(begun.elapsed().as_micros());
                            seen.latencies.saturating_record(took.unwrap_or(LONGEST).max(1));
                        }
                        Err(error) => {
                            seen.failures += 1;
                            seen.first_error.get_or_insert(error);
                        }
                    }
                }
                seen
            });
        }
        let mut all = Seen::new()?;
        while let Some(seen) = tasks.join_next().await {
            all.add(seen.map_err(|error| internal(&error))?)?;
        }
        let (took, after) = (start.elapsed(), self.client.counters());
        match all.first_error {
            Some(error) if all.latencies.is_empty() => return Err(error.into()),
            _ => (),
        }
        let quantile = |part| Duration::from_micros(all.latencies.value_at_quantile(part));
        Ok(Step {
            at_once,
            took,
            signatures: all.latencies.len(),
            p50: quantile(0.5),
            p99: quantile(0.99),
            longest: Duration::from_micros(all.latencies.max()),
            throttled: after.throttled.saturating_sub(before.throttled),
            retries: after.retries.saturating_sub(before.retries),
            failures: all.failures,
            first_error: all.first_error,
        })
    }
}

impl Step {
    pub(super) fn per_second(&self) -> f64 {
        self.signatures as f64 / self.took.as_secs_f64()
    }

    /// All requests per second, including refused ones.
    pub(super) fn requests_per_second(&self) -> f64 {
        (self.signatures + self.failures + self.retries) as f64 / self.took.as_secs_f64()
    }
}
