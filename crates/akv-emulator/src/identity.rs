//! Managed identity endpoints over plain HTTP: a virtual machine's IMDS and App Service.

use std::{collections::HashMap, io, sync::Arc};

use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};
use serde_json::{Value, json};

use crate::{
    auth::CLIENT_ID,
    faults::FaultKind,
    operation::Operation,
    reply::{Body, JSON, full},
    state::State,
    stats::count,
};

/// Path of a virtual machine's Instance Metadata Service.
const IMDS: &str = "/metadata/identity/oauth2/token";
/// Path of App Service's endpoint.
pub(crate) const APP_SERVICE: &str = "/MSI/token";

/// Answers one token request.
pub(crate) async fn handle(
    state: Arc<State>,
    request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    count(&state.counters.token_requests);
    state.counters.operation(Operation::Token);
    for fault in state.faults.strike(Operation::Token) {
        count(&state.counters.faults);
        match fault {
            FaultKind::Latency { millis } => {
                tokio::time::sleep(std::time::Duration::from_millis(millis)).await;
            }
            FaultKind::Hang => std::future::pending().await,
            FaultKind::Status { status, retry_after } => {
                return Ok(failing(status, retry_after));
            }
            FaultKind::NotJson => return Ok(answer(StatusCode::OK, "<html></html>".into())),
            FaultKind::EmptyBody => return Ok(answer(StatusCode::OK, String::new())),
            FaultKind::ResetAfterRequest => return Err(io::Error::other("broken on demand")),
            _ => {}
        }
    }
    let (status, body) = match request.uri().path() {
        _ if request.method() != Method::GET => {
            (StatusCode::METHOD_NOT_ALLOWED, error("invalid_request", "Method not allowed"))
        }
        IMDS => imds(&state, &request),
        APP_SERVICE => app_service(&state, &request),
        _ => (StatusCode::NOT_FOUND, error("not_found", "Not found")),
    };
    Ok(answer(status, body.to_string()))
}

fn failing(status: u16, retry_after: Option<u64>) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reason = status.canonical_reason().unwrap_or("Error");
    let mut response = answer(status, error("unknown", reason).to_string());
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn query(request: &Request<Incoming>) -> HashMap<String, String> {
    let text = request.uri().query().unwrap_or_default();
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn imds(state: &State, request: &Request<Incoming>) -> (StatusCode, Value) {
    let metadata = request.headers().get("metadata");
    if !metadata.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true")) {
        return bad_request("Required metadata header not specified");
    }
    let query = query(request);
    if !query.contains_key("api-version") {
        return bad_request("Required query variable 'api-version' is missing");
    }
    let Some(resource) = query.get("resource") else {
        return bad_request("Required query variable 'resource' is missing");
    };
    let now = state.clock.now();
    let lifetime = state.tokens.lifetime().as_secs();
    let mut body = grant(state, resource, now);
    let expires = now.saturating_add(i64::try_from(lifetime).unwrap_or(i64::MAX));
    body["client_id"] = query.get("client_id").map_or(CLIENT_ID, String::as_str).into();
    // Numbers are strings here, unlike at the token endpoint of Entra ID.
    body["expires_in"] = lifetime.to_string().into();
    body["ext_expires_in"] = lifetime.to_string().into();
    body["expires_on"] = expires.to_string().into();
    body["not_before"] = now.saturating_sub(300).to_string().into();
    (StatusCode::OK, body)
}

fn app_service(state: &State, request: &Request<Incoming>) -> (StatusCode, Value) {
    let secret = request.headers().get("x-identity-header");
    if secret.is_none_or(|value| value.as_bytes() != state.identity_header.as_bytes()) {
        return (StatusCode::UNAUTHORIZED, error("unauthorized", "Invalid X-IDENTITY-HEADER"));
    }
    let query = query(request);
    if query.get("api-version").map(String::as_str) != Some("2019-08-01") {
        return bad_request("The api-version is missing or not supported");
    }
    let Some(resource) = query.get("resource") else {
        return bad_request("Required query variable 'resource' is missing");
    };
    let now = state.clock.now();
    let lifetime = i64::try_from(state.tokens.lifetime().as_secs()).unwrap_or(i64::MAX);
    let mut body = grant(state, resource, now);
    body["client_id"] = query.get("client_id").map_or(CLIENT_ID, String::as_str).into();
    body["expires_on"] = now.saturating_add(lifetime).to_string().into();
    (StatusCode::OK, body)
}

fn grant(state: &State, resource: &str, now: i64) -> Value {
    count(&state.counters.tokens_issued);
    json!({
        "access_token": state.tokens.issue(resource, now),
        "resource": resource,
        "token_type": "Bearer",
    })
}

fn bad_request(description: &str) -> (StatusCode, Value) {
    (StatusCode::BAD_REQUEST, error("invalid_request", description))
}

fn error(code: &str, description: &str) -> Value {
    json!({ "error": code, "error_description": description })
}

fn answer(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}
