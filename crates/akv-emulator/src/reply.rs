//! Responses with the headers of each persona.

use std::{
    io,
    time::{Instant, SystemTime},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER},
};
use serde_json::Value;
use uuid::Uuid;

use crate::{error::ApiError, persona::Persona};

/// The body of every response; an error breaks off the transfer.
pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

pub(crate) const JSON: &str = "application/json; charset=utf-8";

/// The result of an operation, before faults and headers.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Option<Value>,
    /// The URL to poll for the result of an operation in progress.
    pub(crate) location: Option<String>,
    /// After how many seconds to poll.
    pub(crate) retry_after: Option<i64>,
}

impl Reply {
    /// An operation in progress, described by `body`; poll `location`.
    pub(crate) fn accepted(body: Value, location: String) -> Self {
        Self {
            status: StatusCode::ACCEPTED,
            location: Some(location),
            retry_after: Some(10),
            ..Self::ok(body)
        }
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body: Some(body), location: None, retry_after: None }
    }

    pub(crate) fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None, location: None, retry_after: None }
    }

    pub(crate) fn error(error: &ApiError, persona: Persona, request_id: &str) -> Self {
        // A Managed HSM responds to a missing or bad token with an empty body.
        let empty = persona == Persona::ManagedHsm && error.status == StatusCode::UNAUTHORIZED;
        let body = (!empty).then(|| error.body(persona, request_id));
        Self { status: error.status, body, location: None, retry_after: error.retry_after }
    }

    pub(crate) fn bytes(&self) -> Bytes {
        self.body.as_ref().map(|body| Bytes::from(body.to_string())).unwrap_or_default()
    }
}

pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// The data for response headers.
pub(crate) struct RequestContext {
    pub(crate) persona: Persona,
    pub(crate) method: Method,
    pub(crate) request_id: String,
    /// The client's own id, returned on request.
    pub(crate) client_request_id: Option<HeaderValue>,
    pub(crate) started: Instant,
    /// The time by the emulator's clock.
    pub(crate) now: SystemTime,
}

impl RequestContext {
    pub(crate) fn new(
        persona: Persona,
        method: &Method,
        headers: &HeaderMap,
        now: SystemTime,
    ) -> Self {
        let wanted = headers
            .get("x-ms-return-client-request-id")
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
        Self {
            persona,
            method: method.clone(),
            request_id: Uuid::new_v4().to_string(),
            client_request_id: headers.get("x-ms-client-request-id").filter(|_| wanted).cloned(),
            started: Instant::now(),
            now,
        }
    }

    /// A response with the persona's headers; `content_length` is the announced one.
    pub(crate) fn response(
        &self,
        status: StatusCode,
        body: Body,
        content_length: u64,
    ) -> Response<Body> {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        for (name, value) in self.fixed_headers() {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        if let Ok(id) = HeaderValue::from_str(&self.request_id) {
            headers.insert("x-ms-request-id", id);
        }
        match self.persona {
            Persona::Vault => {
                let date = httpdate::fmt_http_date(self.now);
                if let Ok(date) = HeaderValue::from_str(&date) {
                    headers.insert("date", date);
                }
                if let Some(id) = &self.client_request_id {
                    headers.insert("x-ms-client-request-id", id.clone());
                }
                if status == StatusCode::NO_CONTENT {
                    headers.remove(CONTENT_TYPE);
                }
            }
            Persona::ManagedHsm => {
                let millis = self.started.elapsed().as_millis();
                let millis = u32::try_from(millis).unwrap_or(u32::MAX);
                headers.insert("x-ms-server-latency", HeaderValue::from(millis));
                if self.method == Method::GET {
                    let version = concat!("akv-emulator-", env!("CARGO_PKG_VERSION"));
                    headers.insert("x-ms-build-version", HeaderValue::from_static(version));
                }
            }
        }
        if status != StatusCode::NO_CONTENT {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(content_length));
        }
        response
    }

    fn fixed_headers(&self) -> &'static [(&'static str, &'static str)] {
        match self.persona {
            Persona::Vault => &[
                ("cache-control", "no-cache"),
                ("pragma", "no-cache"),
                ("expires", "-1"),
                ("content-type", JSON),
                ("x-ms-keyvault-region", "emulator"),
                (
                    "x-ms-keyvault-service-version",
                    concat!("akv-emulator-", env!("CARGO_PKG_VERSION")),
                ),
                (
                    "x-ms-keyvault-network-info",
                    "conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;",
                ),
                ("x-content-type-options", "nosniff"),
                ("strict-transport-security", "max-age=31536000;includeSubDomains"),
            ],
            Persona::ManagedHsm => &[
                ("cache-control", "no-cache"),
                ("content-type", JSON),
                ("content-security-policy", "default-src 'self'"),
                ("strict-transport-security", "max-age=31536000; includeSubDomains"),
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "SAMEORIGIN"),
                ("x-ms-keyvault-region", "emulator"),
                ("x-ms-keyvault-network-info", "conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=Ipv4;"),
            ],
        }
    }
}

/// The response to a refused request.
pub(crate) fn error_reply(context: &RequestContext, error: &ApiError) -> Response<Body> {
    if (context.persona, error.status, &context.method)
        == (Persona::ManagedHsm, StatusCode::UNAUTHORIZED, &Method::GET)
    {
        // A Managed HSM refuses tokens with an empty body, except for GET.
        return context.response(error.status, full("OK"), 2);
    }
    plain(context, &Reply::error(error, context.persona, &context.request_id))
}

/// The response without faults.
pub(crate) fn plain(context: &RequestContext, reply: &Reply) -> Response<Body> {
    let bytes = reply.bytes();
    let length = bytes.len() as u64;
    let mut response = context.response(reply.status, full(bytes), length);
    if let Some(location) = reply.location.as_deref().and_then(|to| HeaderValue::from_str(to).ok())
    {
        response.headers_mut().insert(LOCATION, location);
    }
    if let Some(seconds) = reply.retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
