//! The control interface for shells: statistics, faults, rotation, applications. Served under `/__emulator/`
//! on the HTTPS listener, without a token. The crate's documentation lists the requests.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Limited};
use hyper::{
    Method, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HOST, HeaderValue},
    http::request::Parts,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    admin,
    entra::Application,
    faults::Fault,
    persona::Target,
    reply::{Body, JSON, full},
    routes::blocking,
    state::State,
};

pub(crate) const PREFIX: &str = "/__emulator/";

pub(crate) async fn handle(state: &Arc<State>, parts: &Parts, body: Incoming) -> Response<Body> {
    let path = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let segments: Vec<&str> = path.split('/').collect();
    let method = &parts.method;
    let (status, body) = match *segments.as_slice() {
        ["stats"] if method == Method::GET => (StatusCode::OK, json!(state.counters.snapshot())),
        ["stats"] if method == Method::DELETE => {
            state.counters.reset();
            (StatusCode::OK, json!({}))
        }
        ["faults"] if method == Method::POST => add_faults(state, body).await,
        ["faults"] if method == Method::DELETE => {
            state.faults.clear();
            (StatusCode::OK, json!({}))
        }
        ["tokens", "revoke"] if method == Method::POST => {
            state.tokens.revoke_all();
            (StatusCode::OK, json!({}))
        }
        ["applications"] if method == Method::POST => add_applications(state, body).await,
        ["keys", name, "rotate"] if method == Method::POST => rotate(state, parts, name).await,
        _ => (StatusCode::NOT_FOUND, json!({ "error": "no such control request" })),
    };
    let mut response = Response::new(full(format!("{body}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}

async fn add_faults(state: &State, body: Incoming) -> (StatusCode, Value) {
    added(
        list(body)
            .await
            .map(|list: Vec<Fault>| list.into_iter().map(|fault| state.faults.add(fault)).count()),
    )
}

async fn add_applications(state: &State, body: Incoming) -> (StatusCode, Value) {
    let list: Result<Vec<Application>, _> = list(body).await;
    added(list.and_then(|list| {
        let number = list.len();
        list.into_iter().try_for_each(|application| state.entra.add(application))?;
        Ok(number)
    }))
}

fn added(result: Result<usize, String>) -> (StatusCode, Value) {
    match result {
        Ok(number) => (StatusCode::OK, json!({ "added": number })),
        Err(error) => (StatusCode::BAD_REQUEST, json!({ "error": error })),
    }
}

/// A body that holds one thing or a list of them.
async fn list<T: DeserializeOwned>(body: Incoming) -> Result<Vec<T>, String> {
    let body = Limited::new(body, 64 * 1024).collect().await;
    let bytes = body.map_err(|_| "the body could not be read".to_owned())?.to_bytes();
    serde_json::from_slice::<Value>(&bytes)
        .and_then(|value| match value {
            Value::Array(_) => serde_json::from_value(value),
            single => serde_json::from_value(single).map(|one| vec![one]),
        })
        .map_err(|error| error.to_string())
}

async fn rotate(state: &Arc<State>, parts: &Parts, name: &str) -> (StatusCode, Value) {
    let header = || parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority = parts.uri.authority().map(|authority| authority.as_str()).or_else(header);
    let target = Target::new(authority.unwrap_or("localhost"), state.persona);
    let (state, name) = (Arc::clone(state), name.to_owned());
    match blocking(move || admin::rotate(&state, &target, &name)).await {
        Ok(id) => (StatusCode::OK, json!({ "kid": id.url, "version": id.version })),
        Err(error) => (error.status, json!({ "error": error.message })),
    }
}
