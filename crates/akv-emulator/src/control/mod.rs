//! The control interface for shells and tests in other languages, served under `/__emulator/` on
//! the HTTPS listener, without a token. The crate's documentation lists the requests.

mod keys;
mod settings;
mod tokens;

use std::sync::Arc;

use http_body_util::{BodyExt as _, Limited};
use hyper::{
    Method, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
    http::request::Parts,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    applications::Application,
    error::ApiError,
    faults::Fault,
    permissions::Permission,
    reply::{Body, JSON, full},
    state::State,
};

pub(crate) const PREFIX: &str = "/__emulator/";

/// Maximum size of a body.
const BODY_LIMIT: usize = 64 * 1024;

/// The error of a request.
struct ControlError(StatusCode, String);

impl From<String> for ControlError {
    fn from(reason: String) -> Self {
        Self(StatusCode::BAD_REQUEST, reason)
    }
}

impl From<serde_json::Error> for ControlError {
    fn from(error: serde_json::Error) -> Self {
        error.to_string().into()
    }
}

impl From<ApiError> for ControlError {
    fn from(error: ApiError) -> Self {
        Self(error.status, error.message)
    }
}

type ControlResult = Result<Value, ControlError>;

pub(crate) async fn handle(state: &Arc<State>, parts: &Parts, body: Incoming) -> Response<Body> {
    let body = Limited::new(body, BODY_LIMIT).collect().await;
    let answer = match body {
        Ok(body) => route(state, parts, &body.to_bytes()).await,
        Err(_) => {
            Err(format!("the body could not be read; the maximum is {BODY_LIMIT} bytes").into())
        }
    };
    let (status, body) = match answer {
        Ok(body) => (StatusCode::OK, body),
        Err(ControlError(status, reason)) => (status, json!({ "error": reason })),
    };
    let mut response = Response::new(full(format!("{body}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}

async fn route(state: &Arc<State>, parts: &Parts, body: &[u8]) -> ControlResult {
    let path = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let segments: Vec<&str> = path.split('/').collect();
    let method = &parts.method;
    let (get, post) = (method == Method::GET, method == Method::POST);
    let (patch, delete) = (method == Method::PATCH, method == Method::DELETE);
    match *segments.as_slice() {
        ["stats"] if get => Ok(json!(state.counters.snapshot())),
        ["stats"] if delete => done(|| state.counters.reset()),
        ["settings"] if get => Ok(settings::show(state)),
        ["settings"] if patch => change_settings(state, body),
        ["faults"] if get => Ok(json!(state.faults.list())),
        ["faults"] if post => add(body, |fault: Fault| {
            state.faults.add(fault);
            Ok(())
        }),
        ["faults"] if delete => done(|| state.faults.clear()),
        ["permissions"] if get => Ok(json!(state.permissions.list())),
        ["permissions"] if post => add(body, |permission: Permission| {
            state.permissions.add(permission);
            Ok(())
        }),
        ["permissions"] if delete => done(|| state.permissions.clear()),
        ["applications"] if post => {
            add(body, |application: Application| state.entra.add(application))
        }
        ["connections", "close"] if post => Ok(json!({ "closed": state.connections.close() })),
        ["tokens", ref rest @ ..] if post => tokens::answer(state, rest, body),
        ["keys", ref rest @ ..] if post => keys::answer(state, parts, rest, body).await,
        _ => Err(unknown()),
    }
}

fn unknown() -> ControlError {
    ControlError(StatusCode::NOT_FOUND, "no such control request".to_owned())
}

fn done(action: impl FnOnce()) -> ControlResult {
    action();
    Ok(json!({}))
}

fn change_settings(state: &State, body: &[u8]) -> ControlResult {
    settings::change(state, &serde_json::from_slice(body)?)?;
    Ok(settings::show(state))
}

/// Adds the content of the body: one item or a list of items.
fn add<T: DeserializeOwned>(
    body: &[u8],
    add: impl FnMut(T) -> Result<(), String>,
) -> ControlResult {
    let list: Vec<T> = match serde_json::from_slice(body)? {
        Value::Array(list) => serde_json::from_value(Value::Array(list))?,
        single => vec![serde_json::from_value(single)?],
    };
    let number = list.len();
    list.into_iter().try_for_each(add)?;
    Ok(json!({ "added": number }))
}

/// An optional body.
fn optional<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, ControlError> {
    match body {
        [] => Ok(T::default()),
        body => Ok(serde_json::from_slice(body)?),
    }
}
