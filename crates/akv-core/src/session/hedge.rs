//! Hedging: a second request when the first response is slow.

use std::{future::Future, pin::pin, time::Duration};

use futures::future::{Either, select};

/// Returns the result of `first`. If that takes longer than `after`, also runs `second` and returns
/// the first success; if both fail, the first failure.
pub(crate) async fn hedged<T, E, F>(
    after: Duration,
    first: impl Future<Output = Result<T, E>>,
    second: impl FnOnce() -> Option<F>,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let mut first = pin!(first);
    if let Ok(outcome) = tokio::time::timeout(after, &mut first).await {
        return outcome;
    }
    let Some(second) = second() else { return first.await };
    let second = pin!(second);
    let (outcome, other) = match select(first, second).await {
        Either::Left((outcome, second)) => (outcome, Either::Right(second)),
        Either::Right((outcome, first)) => (outcome, Either::Left(first)),
    };
    match outcome {
        Ok(value) => Ok(value),
        Err(error) => other.await.or(Err(error)),
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    /// A response after some milliseconds.
    async fn answer(millis: u64, outcome: Result<&str, &str>) -> Result<String, String> {
        sleep(Duration::from_millis(millis)).await;
        outcome.map(str::to_owned).map_err(str::to_owned)
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_success_is_returned() {
        for (first, second, expected, took) in [
            ((10, Ok("a")), Some((0, Ok("b"))), Ok("a"), 10),
            ((10, Err("a")), Some((0, Ok("b"))), Err("a"), 10),
            ((100, Ok("a")), Some((20, Ok("b"))), Ok("b"), 70),
            ((60, Ok("a")), Some((20, Ok("b"))), Ok("a"), 60),
            ((100, Ok("a")), Some((20, Err("b"))), Ok("a"), 100),
            ((60, Err("a")), Some((20, Ok("b"))), Ok("b"), 70),
            ((60, Err("a")), Some((20, Err("b"))), Err("a"), 70),
            ((100, Ok("a")), None, Ok("a"), 100),
        ] {
            let start = Instant::now();
            let outcome = hedged(Duration::from_millis(50), answer(first.0, first.1), || {
                second.map(|(millis, outcome)| answer(millis, outcome))
            })
            .await;
            assert_eq!(outcome.as_deref().map_err(String::as_str), expected);
            assert_eq!(start.elapsed().as_millis(), took);
        }
    }
}
