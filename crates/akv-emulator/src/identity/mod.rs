//! Managed identity endpoints over plain HTTP: a virtual machine's IMDS, App Service, Azure Arc.

mod arc;

use std::{collections::HashMap, io, sync::Arc};

use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{HeaderValue, SERVER},
    http::request::Parts,
};
use serde_json::{Value, json};

use crate::{
    auth::TENANT,
    reply::Body,
    state::State,
    stats::count,
    token_reply::{self, TokenReply},
};

/// Path of a virtual machine's Instance Metadata Service, and of an Azure Arc server's agent.
pub(crate) const IMDS: &str = "/metadata/identity/oauth2/token";
/// Path of App Service's endpoint.
pub(crate) const APP_SERVICE: &str = "/MSI/token";
const NO_SUCH_IDENTITY: &str = "Identity not found";

/// Handles one token request.
pub(crate) async fn handle(
    state: Arc<State>,
    request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    let (parts, _) = request.into_parts();
    let failing = |status: StatusCode| {
        let reason = status.canonical_reason().unwrap_or("Error");
        TokenReply::new(status, error("unknown", reason))
    };
    let (_, mut response) = token_reply::play(&state, failing, || answer(&state, &parts)).await?;
    let server = HeaderValue::from_static(concat!("IMDS/akv-emulator-", env!("CARGO_PKG_VERSION")));
    if parts.uri.path() == IMDS {
        response.headers_mut().insert(SERVER, server);
    }
    Ok(response)
}

fn answer(state: &State, parts: &Parts) -> TokenReply {
    if parts.method != Method::GET {
        let body = error("invalid_request", "Method not allowed");
        return TokenReply::new(StatusCode::METHOD_NOT_ALLOWED, body);
    }
    match parts.uri.path() {
        IMDS if arc::uses_agent_protocol(query(parts).get("api-version").map(String::as_str)) => {
            arc::answer(state, parts)
        }
        IMDS => imds(state, parts),
        APP_SERVICE => app_service(state, parts),
        _ => TokenReply::new(StatusCode::NOT_FOUND, error("not_found", "Not found")),
    }
}

fn query(parts: &Parts) -> HashMap<String, String> {
    let text = parts.uri.query().unwrap_or_default();
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn has_metadata_header(parts: &Parts) -> bool {
    let metadata = parts.headers.get("metadata");
    metadata.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
}

fn imds(state: &State, parts: &Parts) -> TokenReply {
    if !has_metadata_header(parts) {
        return bad_request("Required metadata header not specified");
    }
    let query = query(parts);
    if !query.contains_key("api-version") {
        return bad_request("Required query variable 'api-version' is missing");
    }
    let Some(resource) = query.get("resource") else {
        return bad_request("Required query variable 'resource' is missing");
    };
    match state.assigned.requested_identity(&query) {
        Some(client_id) => TokenReply::new(StatusCode::OK, machine(state, resource, &client_id)),
        None => bad_request(NO_SUCH_IDENTITY),
    }
}

/// The token of a machine: a virtual machine's, or an Azure Arc server's.
fn machine(state: &State, resource: &str, client_id: &str) -> Value {
    let now = state.clock.now();
    let lifetime = state.tokens.lifetime().as_secs();
    let mut body = grant(state, resource, client_id, now);
    let expires = now.saturating_add(i64::try_from(lifetime).unwrap_or(i64::MAX));
    body["client_id"] = client_id.into();
    // Here numbers are strings, unlike at the token endpoint of Entra ID.
    body["expires_in"] = lifetime.to_string().into();
    body["ext_expires_in"] = lifetime.to_string().into();
    body["expires_on"] = expires.to_string().into();
    body["not_before"] = now.saturating_sub(300).to_string().into();
    body
}

fn app_service(state: &State, parts: &Parts) -> TokenReply {
    let secret = parts.headers.get("x-identity-header");
    if secret.is_none_or(|value| value.as_bytes() != state.identity_header.as_bytes()) {
        let body = error("unauthorized", "Invalid X-IDENTITY-HEADER");
        return TokenReply::new(StatusCode::UNAUTHORIZED, body);
    }
    let query = query(parts);
    if query.get("api-version").map(String::as_str) != Some("2019-08-01") {
        return bad_request("The api-version is missing or not supported");
    }
    let Some(resource) = query.get("resource") else {
        return bad_request("Required query variable 'resource' is missing");
    };
    let now = state.clock.now();
    let lifetime = i64::try_from(state.tokens.lifetime().as_secs()).unwrap_or(i64::MAX);
    let Some(client_id) = state.assigned.requested_identity(&query) else {
        return bad_request(NO_SUCH_IDENTITY);
    };
    let mut body = grant(state, resource, &client_id, now);
    body["client_id"] = client_id.into();
    body["expires_on"] = now.saturating_add(lifetime).to_string().into();
    TokenReply::new(StatusCode::OK, body)
}

fn grant(state: &State, resource: &str, client_id: &str, now: i64) -> Value {
    count(&state.counters.tokens_issued);
    json!({
        "access_token": state.tokens.issue(resource, TENANT, client_id, now),
        "resource": resource,
        "token_type": "Bearer",
    })
}

fn bad_request(description: &str) -> TokenReply {
    TokenReply::new(StatusCode::BAD_REQUEST, error("invalid_request", description))
}

fn error(code: &str, description: &str) -> Value {
    json!({ "error": code, "error_description": description })
}
