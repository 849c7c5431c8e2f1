//! Faults on demand: what a network, a proxy or an overloaded service does to a client.

use std::{sync::Mutex, time::Duration};

use aws_lc_rs::rand;
use serde::{Deserialize, Serialize};

use crate::{operation::Operation, sync::lock};

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum FaultKind {
    /// The answer comes this much later, in milliseconds; combines with every other fault.
    Latency {
        /// Milliseconds before the request is handled.
        millis: u64,
    },
    /// No answer ever; the connection stays open.
    Hang,
    /// An error status instead of the operation, with the service's error body.
    Status {
        /// The HTTP status code, 400 to 599.
        status: u16,
        /// Whole seconds for `Retry-After`; without it the header is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
    },
    /// 401 although the token is valid.
    Unauthorized,
    /// 403: the caller lacks the permission.
    Forbidden,
    /// 403: the vault has roles, and the caller has none for the operation.
    ForbiddenByRole,
    /// 403: the vault's firewall does not let the caller's address in.
    ForbiddenByFirewall,
    /// A redirect instead of the operation.
    Redirect {
        /// The `Location` header, as it is.
        location: String,
    },
    /// TCP reset right after accept, before the TLS handshake. Has no operation.
    ResetOnAccept,
    /// TCP reset after the TLS handshake, before a request is read. Has no operation.
    ResetBeforeRequest,
    /// TCP reset when the request has been read.
    ResetAfterRequest,
    /// Half of the body under the full `Content-Length`, then the connection (HTTP/1.1) or the
    /// stream (HTTP/2) breaks.
    TruncatedBody,
    /// The status of the operation with no body.
    EmptyBody,
    /// An HTML page where JSON is due.
    NotJson,
    /// JSON of another shape.
    WrongShape,
    /// The right body labelled `text/html`.
    WrongContentType,
    /// A valid JSON document padded to this many bytes.
    HugeBody {
        /// Length of the body in bytes.
        bytes: u64,
    },
    /// The link to the next page leads elsewhere. Only for lists.
    NextLink {
        /// The `nextLink` member, as it is.
        location: String,
    },
    /// A signature of the right form and length that does not verify. Only for sign.
    WrongSignature,
    /// The body comes in eight pieces spread over this time.
    SlowBody {
        /// Milliseconds from the first to the last piece.
        millis: u64,
    },
    /// The connection is closed in order after the response; combines with every other fault.
    CloseConnection,
}

impl FaultKind {
    const fn on_connection(&self) -> bool {
        matches!(self, Self::ResetOnAccept | Self::ResetBeforeRequest)
    }

    const fn combines(&self) -> bool {
        matches!(self, Self::Latency { .. } | Self::CloseConnection)
    }
}

/// A fault with the requests it strikes: by default the next one, of any data-plane operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct Fault {
    #[serde(flatten)]
    kind: FaultKind,
    /// `None` means every operation but [`Operation::Token`].
    #[serde(default)]
    operation: Option<Operation>,
    /// How many times it strikes, `None` for ever.
    #[serde(default = "once")]
    times: Option<u32>,
    /// Chance of striking a matching request, 0 to 1.
    #[serde(default = "always")]
    probability: f64,
}

const fn once() -> Option<u32> {
    Some(1)
}

const fn always() -> f64 {
    1.0
}

impl Fault {
    /// Strikes the next request of any data-plane operation.
    pub const fn new(kind: FaultKind) -> Self {
        Self { kind, operation: None, times: once(), probability: always() }
    }

    /// Answers later.
    pub fn latency(delay: Duration) -> Self {
        Self::new(FaultKind::Latency { millis: millis(delay) })
    }

    /// Answers with an error status.
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

    /// Redirects to `location`.
    pub fn redirect(location: impl Into<String>) -> Self {
        Self::new(FaultKind::Redirect { location: location.into() })
    }

    /// Strikes requests of this operation only.
    pub const fn on(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Strikes this many requests.
    pub const fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Strikes until the faults are cleared.
    pub const fn forever(mut self) -> Self {
        self.times = None;
        self
    }

    /// Strikes each matching request with this chance, 0 to 1.
    pub const fn probability(mut self, probability: f64) -> Self {
        self.probability = probability;
        self
    }

    /// Writes `location` as a list's link to the next page.
    pub fn next_link(location: impl Into<String>) -> Self {
        Self::new(FaultKind::NextLink { location: location.into() })
    }

    fn matches(&self, operation: Operation) -> bool {
        let asked = match self.operation {
            Some(asked) => asked == operation,
            None => operation != Operation::Token,
        };
        asked
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

/// The faults that are waiting to strike, in the order they were added.
#[derive(Default)]
pub(crate) struct Faults {
    waiting: Mutex<Vec<Fault>>,
}

impl Faults {
    pub(crate) fn add(&self, fault: Fault) {
        lock(&self.waiting).push(fault);
    }

    pub(crate) fn clear(&self) {
        lock(&self.waiting).clear();
    }

    /// True if a fault of exactly this kind strikes the connection.
    pub(crate) fn strike_connection(&self, kind: &FaultKind) -> bool {
        !self.take(|fault| fault.kind == *kind).is_empty()
    }

    /// The faults that strike a request: the first one waiting, and all that combine.
    pub(crate) fn strike(&self, operation: Operation) -> Vec<FaultKind> {
        self.take(|fault| !fault.kind.on_connection() && fault.matches(operation))
    }

    fn take(&self, matches: impl Fn(&Fault) -> bool) -> Vec<FaultKind> {
        let mut waiting = lock(&self.waiting);
        let mut struck = Vec::new();
        let mut exclusive = false;
        for fault in waiting.iter_mut() {
            let free = fault.kind.combines() || !exclusive;
            if free && matches(fault) && happens(fault.probability) {
                exclusive |= !fault.kind.combines();
                struck.push(fault.kind.clone());
                if let Some(times) = &mut fault.times {
                    *times = times.saturating_sub(1);
                }
            }
        }
        waiting.retain(|fault| fault.times != Some(0));
        struck
    }
}

fn happens(probability: f64) -> bool {
    if probability >= 1.0 {
        return true;
    }
    let mut random = [0; 4];
    rand::fill(&mut random).is_ok()
        && f64::from(u32::from_be_bytes(random)) < probability * f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_strike_in_order_and_run_out() {
        let faults = Faults::default();
        faults.add(Fault::throttled().on(Operation::Sign).times(2));
        faults.add(Fault::status(503));
        faults.add(Fault::latency(Duration::from_millis(5)).forever());
        let latency = FaultKind::Latency { millis: 5 };
        let status = |status| FaultKind::Status { status, retry_after: None };
        assert_eq!(faults.strike(Operation::GetKey), [status(503), latency.clone()]);
        assert_eq!(faults.strike(Operation::Sign), [status(429), latency.clone()]);
        assert_eq!(faults.strike(Operation::Sign), [status(429), latency.clone()]);
        assert_eq!(faults.strike(Operation::Sign), [latency]);
        assert!(faults.strike(Operation::Token).is_empty());
        faults.clear();
        assert!(faults.strike(Operation::Sign).is_empty());
    }

    #[test]
    fn the_json_form_has_defaults() {
        let fault: Fault =
            serde_json::from_str(r#"{"kind":"status","status":429,"retryAfter":2}"#).unwrap();
        assert_eq!(fault, Fault::retry_after(429, 2));
        let fault: Fault = serde_json::from_str(
            r#"{"kind":"wrongSignature","operation":"sign","times":null,"probability":0.5}"#,
        )
        .unwrap();
        let expected =
            Fault::new(FaultKind::WrongSignature).on(Operation::Sign).forever().probability(0.5);
        assert_eq!(fault, expected);
    }

    #[test]
    fn a_probability_is_kept_roughly() {
        let faults = Faults::default();
        faults.add(Fault::throttled().forever().probability(0.5));
        let struck = (0..1000).filter(|_| !faults.strike(Operation::Sign).is_empty()).count();
        assert!((350..650).contains(&struck), "{struck}");
        faults.clear();
        faults.add(Fault::throttled().forever().probability(0.0));
        assert!((0..1000).all(|_| faults.strike(Operation::Sign).is_empty()));
    }
}
