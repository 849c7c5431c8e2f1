//! Helpers for HTTP requests.

use std::collections::HashMap;

use hyper::{StatusCode, header::HOST, http::request::Parts};

use crate::error::ApiError;

/// The host as the client wrote it: `:authority` of HTTP/2, or the `Host` header.
pub(crate) fn authority(parts: &Parts) -> &str {
    let header = || parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    parts.uri.authority().map(|authority| authority.as_str()).or_else(header).unwrap_or("localhost")
}

/// The parameters of the query.
pub(crate) fn query(parts: &Parts) -> HashMap<String, String> {
    let text = parts.uri.query().unwrap_or_default();
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// Runs slow cryptography outside the connections' threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(ApiError::server_error(StatusCode::INTERNAL_SERVER_ERROR)),
    }
}
