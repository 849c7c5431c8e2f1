//! Responses to token requests, with their faults.

use std::{io, time::Duration};

use bytes::Bytes;
use hyper::{
    Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER},
};
use serde_json::{Value, json};

use crate::{
    bodies,
    faults::FaultKind,
    operation::Operation,
    reply::{Body, JSON, full},
    state::State,
    stats::count,
};

/// The response of an identity endpoint, before faults.
pub(crate) struct TokenReply {
    status: StatusCode,
    body: Value,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl TokenReply {
    pub(crate) fn new(status: StatusCode, body: Value) -> Self {
        Self { status, body, headers: Vec::new() }
    }

    pub(crate) fn header(&mut self, name: HeaderName, value: HeaderValue) {
        self.headers.push((name, value));
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let bytes = Bytes::from(self.body.to_string());
        let length = bytes.len() as u64;
        self.with_body(full(bytes), length)
    }

    fn with_body(self, body: Body, length: u64) -> Response<Body> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        headers.extend(self.headers);
        response
    }
}

/// Counts a token request and responds according to the faults. `failing` creates the endpoint's
/// error body, `answer` its normal response. An error breaks the connection.
pub(crate) async fn play(
    state: &State,
    failing: impl Fn(StatusCode) -> TokenReply,
    answer: impl FnOnce() -> TokenReply,
) -> io::Result<(Vec<FaultKind>, Response<Body>)> {
    count(&state.counters.token_requests);
    state.counters.operation(Operation::Token);
    let faults = state.faults.strike(Operation::Token);
    let mut replacement = None;
    for fault in &faults {
        count(&state.counters.faults);
        match fault {
            FaultKind::Latency { millis } => {
                tokio::time::sleep(Duration::from_millis(*millis)).await;
            }
            FaultKind::Hang => std::future::pending().await,
            FaultKind::ResetAfterRequest => return Err(io::Error::other("broken on demand")),
            FaultKind::Status { status, retry_after } => {
                let status = StatusCode::from_u16(*status);
                let mut reply = failing(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
                if let Some(seconds) = retry_after {
                    reply.header(RETRY_AFTER, HeaderValue::from(*seconds));
                }
                replacement = Some(reply);
            }
            FaultKind::Unauthorized => replacement = Some(failing(StatusCode::UNAUTHORIZED)),
            FaultKind::Forbidden => replacement = Some(failing(StatusCode::FORBIDDEN)),
            FaultKind::Redirect { location } => {
                let mut reply = TokenReply::new(StatusCode::FOUND, json!({}));
                if let Ok(location) = HeaderValue::from_str(location) {
                    reply.header(LOCATION, location);
                }
                replacement = Some(reply);
            }
            _ => {}
        }
    }
    let response = disturbed(&faults, replacement.unwrap_or_else(answer));
    Ok((faults, response))
}

/// Faults in the response's body.
fn disturbed(faults: &[FaultKind], mut reply: TokenReply) -> Response<Body> {
    if faults.contains(&FaultKind::WrongShape) {
        reply.body = json!({ "value": [true, 7] });
    }
    let bytes = Bytes::from(reply.body.to_string());
    let length = bytes.len() as u64;
    let html = |reply: TokenReply, bytes: Bytes| {
        let length = bytes.len() as u64;
        let mut response = reply.with_body(full(bytes), length);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        response
    };
    for fault in faults {
        match fault {
            FaultKind::EmptyBody => return reply.with_body(full(Bytes::new()), 0),
            FaultKind::NotJson => return html(reply, Bytes::from(bodies::HTML)),
            FaultKind::WrongContentType => return html(reply, bytes),
            FaultKind::TruncatedBody => return reply.with_body(bodies::truncated(&bytes), length),
            FaultKind::HugeBody { bytes } => return reply.with_body(bodies::huge(*bytes), *bytes),
            FaultKind::SlowBody { millis } => {
                let body = bodies::slow(bytes, Duration::from_millis(*millis));
                return reply.with_body(body, length);
            }
            _ => {}
        }
    }
    reply.into_response()
}
