//! One deadline per operation, including all retries. [`failure`](super::failure) decides which
//! failures are transient, such as HTTP 429.

use std::{future::Future, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::Instant;

use crate::{Error, ErrorKind, Result};

/// How one attempt failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A retry does not help.
    Final(Error),
    /// A retry may help, not before the given time if the service named one.
    Transient(Error, Option<Duration>),
    /// A pooled connection was dead: retry at once, on another one.
    StaleConnection(Error),
}

impl Failure {
    pub(crate) fn error(&self) -> &Error {
        match self {
            Self::Final(error) | Self::Transient(error, _) | Self::StaleConnection(error) => error,
        }
    }

    /// Whether there was any response from the vault.
    pub(crate) fn is_response(&self) -> bool {
        let error = self.error();
        error.status().is_some()
            || matches!(error.kind(), ErrorKind::Response | ErrorKind::Unsupported)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// Runs `attempt` until it succeeds, fails permanently, or `timeout` has passed.
pub(crate) async fn with_deadline<T, A, F>(timeout: Duration, mut attempt: A) -> Result<T>
where
    A: FnMut() -> F,
    F: Future<Output = Result<T, Failure>>,
{
    let deadline = Instant::now() + timeout;
    let mut delays = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(2))
        .with_jitter()
        .without_max_times()
        .build();
    let mut stale = 0;
    let mut last: Option<Error> = None;
    for attempts in 1.. {
        let Ok(outcome) = tokio::time::timeout_at(deadline, attempt()).await else {
            let error = last
                .take()
                .unwrap_or_else(|| Error::new(ErrorKind::Network, "the server did not respond"));
            return Err(error.timed_out(timeout, attempts));
        };
        let (error, pause) = match outcome {
            Ok(value) => return Ok(value),
            Err(Failure::Final(error)) => return Err(error),
            // A whole pool may be dead after a network change, but not forever.
            Err(Failure::StaleConnection(error)) if stale < 3 => {
                stale += 1;
                (error, Duration::ZERO)
            }
            Err(Failure::StaleConnection(error)) => (error, delays.next().unwrap_or_default()),
            Err(Failure::Transient(error, after)) => {
                let backoff = delays.next().unwrap_or_default();
                (error, after.map_or(backoff, |after| after.max(backoff)))
            }
        };
        if pause >= deadline.saturating_duration_since(Instant::now()) {
            return Err(error.timed_out(timeout, attempts));
        }
        tracing::debug!(%error, ?pause, attempts, "attempt failed; retrying");
        last = Some(error);
        tokio::time::sleep(pause).await;
    }
    unreachable!("the loop ends by returning")
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(future)
    }

    fn transient(after: Option<u64>) -> Failure {
        let error = Error::new(ErrorKind::Service, "busy");
        Failure::Transient(error, after.map(Duration::from_secs))
    }

    #[test]
    fn transient_failures_are_retried() {
        let calls = Cell::new(0);
        let result = run(with_deadline(Duration::from_secs(10), || {
            calls.set(calls.get() + 1);
            let outcome = if calls.get() < 4 { Err(transient(None)) } else { Ok(calls.get()) };
            async move { outcome }
        }));
        assert_eq!(result.unwrap(), 4);
    }

    #[test]
    fn final_failures_are_not_retried() {
        let calls = Cell::new(0);
        let result: Result<()> = run(with_deadline(Duration::from_secs(10), || {
            calls.set(calls.get() + 1);
            async { Err(Error::new(ErrorKind::Service, "no").into()) }
        }));
        assert_eq!((result.unwrap_err().kind(), calls.get()), (ErrorKind::Service, 1));
    }

    #[test]
    fn the_deadline_ends_hanging_and_failing_attempts() {
        run(async {
            for hang in [true, false] {
                let start = Instant::now();
                let result: Result<()> = with_deadline(Duration::from_secs(3), || async move {
                    if hang {
                        std::future::pending::<()>().await;
                    }
                    Err(transient(None))
                })
                .await;
                assert_eq!(result.unwrap_err().kind(), ErrorKind::Timeout);
                assert!(start.elapsed() <= Duration::from_millis(3010));
            }
        });
    }

    #[test]
    fn retry_after_zero_still_backs_off() {
        let calls = Cell::new(0);
        let result: Result<()> = run(with_deadline(Duration::from_secs(10), || {
            calls.set(calls.get() + 1);
            async { Err(transient(Some(0))) }
        }));
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Timeout);
        assert!(calls.get() < 20, "{} attempts", calls.get());
    }

    #[test]
    fn retry_after_is_honoured_and_fails_at_once_beyond_the_deadline() {
        run(async {
            let start = Instant::now();
            let calls = Cell::new(0);
            let result = with_deadline(Duration::from_secs(10), || {
                calls.set(calls.get() + 1);
                let outcome = if calls.get() == 1 { Err(transient(Some(4))) } else { Ok(()) };
                async move { outcome }
            })
            .await;
            assert!(result.is_ok() && start.elapsed() >= Duration::from_secs(4));

            let start = Instant::now();
            let result: Result<()> =
                with_deadline(Duration::from_secs(10), || async { Err(transient(Some(60))) }).await;
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Timeout);
            assert!(start.elapsed() < Duration::from_secs(1));
        });
    }
}
