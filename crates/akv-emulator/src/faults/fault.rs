//! A fault: its kind, the requests that it affects, and how often.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::FaultKind;
use crate::operation::Operation;

/// A fault with the requests that it affects: by default the next one, of any data-plane operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct Fault {
    #[serde(flatten)]
    pub(super) kind: FaultKind,
    /// `None` means every operation except [`Operation::Token`].
    #[serde(default)]
    operation: Option<Operation>,
    /// How many requests it affects; `None` for no limit.
    #[serde(default = "once")]
    pub(super) times: Option<u32>,
    /// Probability for each matching request, 0 to 1.
    #[serde(default = "always")]
    pub(super) probability: f64,
}

const fn once() -> Option<u32> {
    Some(1)
}

const fn always() -> f64 {
    1.0
}

impl Fault {
    /// A fault for the next request of any data-plane operation.
    pub const fn new(kind: FaultKind) -> Self {
        Self { kind, operation: None, times: once(), probability: always() }
    }

    /// Delays the response.
    pub fn latency(delay: Duration) -> Self {
        Self::new(FaultKind::Latency { millis: millis(delay) })
    }

    /// Responds with an error status.
    pub const fn status(status: u16) -> Self {
        Self::new(FaultKind::Status { status, retry_after: None })
    }

    /// 429 without `Retry-After`.
    pub const fn throttled() -> Self {
        Self::status(429)
    }

    /// An error status with `Retry-After` in whole seconds.
    pub const fn retry_after(status: u16, seconds: u64) -> Self {
        Self::new(FaultKind::Status { status, retry_after: Some(seconds) })
    }

    /// Sends the body in pieces spread over `duration`.
    pub fn slow_body(duration: Duration) -> Self {
        Self::new(FaultKind::SlowBody { millis: millis(duration) })
    }

    /// Responds with a result of this many bytes, each of them 255.
    pub fn result_of(length: usize) -> Self {
        Self::new(FaultKind::WrongBytes { member: "/value".to_owned(), length, fill: u8::MAX })
    }

    /// Redirects to `location`.
    pub fn redirect(location: impl Into<String>) -> Self {
        Self::new(FaultKind::Redirect { location: location.into() })
    }

    /// Affects only requests of this operation.
    pub const fn on(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Affects this many requests.
    pub const fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Affects all requests until the faults are cleared.
    pub const fn forever(mut self) -> Self {
        self.times = None;
        self
    }

    /// Affects each matching request with this probability, 0 to 1.
    pub const fn probability(mut self, probability: f64) -> Self {
        self.probability = probability;
        self
    }

    /// Writes `location` as a list's link to the next page.
    pub fn next_link(location: impl Into<String>) -> Self {
        Self::new(FaultKind::NextLink { location: location.into() })
    }

    pub(super) fn matches(&self, operation: Operation) -> bool {
        let requested = match self.operation {
            Some(requested) => requested == operation,
            None => operation != Operation::Token,
        };
        requested
            && match self.kind {
                FaultKind::WrongSignature => operation == Operation::Sign,
                FaultKind::NextLink { .. } => operation.lists(),
                _ => true,
            }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_form_has_defaults() {
        let fault: Fault =
            serde_json::from_str(r#"{"kind":"status","status":429,"retryAfter":2}"#).unwrap();
        assert_eq!(fault, Fault::retry_after(429, 2));
        let fault: Fault = serde_json::from_str(
            r#"{"kind":"wrongSignature","operation":"sign","times":null,"probability":0.5}"#,
        )
        .unwrap();
        let short: Fault = serde_json::from_str(r#"{"kind":"wrongBytes","length":7}"#).unwrap();
        assert_eq!(short, Fault::result_of(7));
        let expected =
            Fault::new(FaultKind::WrongSignature).on(Operation::Sign).forever().probability(0.5);
        assert_eq!(fault, expected);
    }
}
