//! The errors of the authority.
//!
//! Codes and texts: <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.

use hyper::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use time::{OffsetDateTime, macros::format_description};
use uuid::Uuid;

use crate::clock::Clock;

/// The error for a request that gets no token.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    /// The error of RFC 6749 section 5.2.
    error: &'static str,
    /// The number after `AADSTS`.
    code: u32,
    text: String,
}

/// The ids of one request in the service's logs.
pub(super) struct Ids {
    pub(super) trace: String,
    correlation: String,
}

impl Ids {
    /// A client may set the correlation id.
    pub(super) fn new(headers: &HeaderMap) -> Self {
        let named = headers.get("client-request-id").and_then(|id| id.to_str().ok());
        Self {
            trace: Uuid::new_v4().to_string(),
            correlation: named.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned),
        }
    }
}

impl Refusal {
    pub(super) fn new(
        status: u16,
        error: &'static str,
        code: u32,
        text: impl Into<String>,
    ) -> Self {
        Self { status, error, code, text: text.into() }
    }

    /// 401 `invalid_client`: the proof is not accepted.
    pub(super) fn client(code: u32, text: impl Into<String>) -> Self {
        Self::new(401, "invalid_client", code, text)
    }

    /// 400 `invalid_request`.
    pub(super) fn request(code: u32, text: impl Into<String>) -> Self {
        Self::new(400, "invalid_request", code, text)
    }

    pub(super) fn missing(parameter: &str) -> Self {
        let text = format!("The request body must contain the following parameter: '{parameter}'.");
        Self::request(900_144, text)
    }

    pub(super) fn unknown_tenant(tenant: &str) -> Self {
        let text = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and \
             are signing into the correct cloud. Check with your subscription administrator, this \
             may happen if there are no active subscriptions for the tenant."
        );
        Self::new(400, "invalid_tenant", 90_002, text)
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::request(900_561, "The endpoint only accepts POST requests. Received another request.")
    }

    /// A configured outage.
    pub(super) fn failing(status: StatusCode) -> Self {
        let text = "The service is temporarily unavailable. Please retry later.";
        Self::new(status.as_u16(), "temporarily_unavailable", 90_033, text)
    }

    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST)
    }

    pub(super) fn body(&self, ids: &Ids, clock: &Clock) -> Value {
        let timestamp = timestamp(clock.now());
        let (trace, correlation, code) = (&ids.trace, &ids.correlation, self.code);
        json!({
            "error": self.error,
            "error_description": format!(
                "AADSTS{code}: {}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\n\
                 Timestamp: {timestamp}",
                self.text
            ),
            "error_codes": [code],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
        })
    }
}

fn timestamp(seconds: i64) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");
    let time = OffsetDateTime::from_unix_timestamp(seconds);
    time.ok().and_then(|time| time.format(format).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_has_the_services_form() {
        assert_eq!(timestamp(1_643_064_073), "2022-01-24 22:41:13Z");
    }
}
