//! From an HTTP request to a response: who asks, what for, which faults strike.

mod certificates;
mod crypto;
pub(crate) mod disturb;
mod keys;

pub(crate) use self::keys::new_version;

use std::{collections::HashMap, io, sync::Arc};

use http_body_util::{BodyExt as _, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{HOST, HeaderValue, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE},
    http::request::Parts,
};
use serde_json::Value;

use crate::{
    auth, control,
    entra::{self, Route},
    error::ApiError,
    operation::{Call, Operation},
    persona::{Persona, Target},
    reply::{Body, Reply, RequestContext, full},
    state::State,
    stats::count,
    wire::Control,
};

/// Longest request body that is read; backups are the largest.
const BODY_LIMIT: usize = 1024 * 1024;

/// An authorized request.
pub(crate) struct Context<'a> {
    pub(crate) state: &'a Arc<State>,
    pub(crate) target: &'a Target,
    pub(crate) call: &'a Call,
    pub(crate) query: HashMap<String, String>,
    /// The body as JSON, null when there is none.
    pub(crate) body: Value,
}

impl Context<'_> {
    pub(crate) fn persona(&self) -> Persona {
        self.target.persona
    }

    pub(crate) fn not_found(&self) -> ApiError {
        ApiError::key_not_found(self.persona(), &self.target.base, &self.call.id())
    }
}

/// Answers one HTTPS request. An error breaks the connection or stream.
pub(crate) async fn handle(
    state: Arc<State>,
    connection: Arc<Control>,
    request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    let (parts, body) = request.into_parts();
    if state.control_interface && parts.uri.path().starts_with(control::PREFIX) {
        return Ok(control::handle(&state, &parts, body).await);
    }
    if let Some(route) = Route::parse(parts.uri.path()) {
        return entra::handle(&state, &connection, route, &parts, body).await;
    }
    count(&state.counters.requests);
    let target = Target::new(authority(&parts), state.persona);
    let context = RequestContext::new(
        target.persona,
        &parts.method,
        &parts.headers,
        state.clock.system_time(),
    );
    if let Err(error) = state.tokens.check(&parts.headers, &target, &state.clock) {
        count(&state.counters.unauthorized);
        return Ok(unauthorized(&state, &context, &target, &error));
    }
    let call = match Call::parse(&parts.method, parts.uri.path(), target.persona) {
        Ok(call) => call,
        Err(error) => {
            let reply = Reply::error(&error, target.persona, &context.request_id);
            return Ok(plain(&context, &reply));
        }
    };
    state.counters.operation(call.operation);
    let faults = state.faults.strike(call.operation);
    for _ in &faults {
        count(&state.counters.faults);
    }
    let body = Limited::new(body, BODY_LIMIT).collect().await;
    let instead = disturb::before(&faults, &context, &target, &call, &connection).await?;
    let response = match instead {
        Some(mut response) => {
            if response.status() == StatusCode::UNAUTHORIZED {
                count(&state.counters.unauthorized);
                add_challenge(&state, &mut response, &target);
            }
            response
        }
        None => {
            let result = match body {
                Ok(body) => {
                    let (query, bytes) = (query(&parts), body.to_bytes());
                    dispatch(&state, &target, &call, query, &bytes).await
                }
                Err(_) => Err(ApiError::bad_parameter("The request body could not be read.")),
            };
            let reply = result
                .unwrap_or_else(|error| Reply::error(&error, target.persona, &context.request_id));
            disturb::after(&faults, &context, reply)
        }
    };
    Ok(disturb::closing(&faults, parts.version, &connection, response))
}

/// The host as the client wrote it: `:authority` of HTTP/2, or the `Host` header.
pub(crate) fn authority(parts: &Parts) -> &str {
    let header = || parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    parts.uri.authority().map(|authority| authority.as_str()).or_else(header).unwrap_or("localhost")
}

fn query(parts: &Parts) -> HashMap<String, String> {
    let text = parts.uri.query().unwrap_or_default();
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

async fn dispatch(
    state: &Arc<State>,
    target: &Target,
    call: &Call,
    query: HashMap<String, String>,
    body: &[u8],
) -> Result<Reply, ApiError> {
    // A Managed HSM's own links have no api-version.
    if target.persona == Persona::Vault && !query.contains_key("api-version") {
        return Err(ApiError::bad_parameter("api-version must be specified"));
    }
    let body = match body {
        [] => Value::Null,
        text => serde_json::from_slice(text).map_err(|_| {
            ApiError::bad_parameter("The request body must be a valid JSON object.")
        })?,
    };
    let context = Context { state, target, call, query, body };
    match call.operation {
        Operation::Sign
        | Operation::Verify
        | Operation::Encrypt
        | Operation::Decrypt
        | Operation::WrapKey
        | Operation::UnwrapKey => crypto::run(&context).await,
        Operation::RandomBytes => crypto::random_bytes(&context),
        operation if operation.collection() == "certificates" => certificates::run(&context).await,
        _ => keys::run(&context).await,
    }
}

fn plain(context: &RequestContext, reply: &Reply) -> Response<Body> {
    let bytes = reply.bytes();
    let length = bytes.len() as u64;
    let mut response = context.response(reply.status, full(bytes), length);
    if let Some(location) = reply.location.as_deref().and_then(|to| HeaderValue::from_str(to).ok())
    {
        response.headers_mut().insert(LOCATION, location);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("10"));
    }
    response
}

fn unauthorized(
    state: &State,
    context: &RequestContext,
    target: &Target,
    error: &ApiError,
) -> Response<Body> {
    let mut response = plain(context, &Reply::error(error, target.persona, &context.request_id));
    add_challenge(state, &mut response, target);
    response
}

fn add_challenge(state: &State, response: &mut Response<Body>, target: &Target) {
    if let Ok(challenge) = HeaderValue::from_str(&auth::challenge(target, &state.tokens.tenant())) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
}

/// Runs slow cryptography off the connections' threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(ApiError::server_error(StatusCode::INTERNAL_SERVER_ERROR)),
    }
}
