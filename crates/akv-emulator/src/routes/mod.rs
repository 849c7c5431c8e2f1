//! Handles HTTP requests: authorization, dispatch, faults.

mod certificates;
mod context;
mod crypto;
mod keys;
mod paging;

use std::{collections::HashMap, io, sync::Arc};

use http_body_util::{BodyExt as _, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{HeaderValue, WWW_AUTHENTICATE},
};
use serde_json::Value;

use self::context::Context;
use crate::{
    auth,
    call::Call,
    control, disturb,
    entra::{self, Route},
    error::ApiError,
    operation::Operation,
    persona::{Persona, Target},
    reply::{Body, Reply, RequestContext, error_reply},
    request::{authority, query},
    state::State,
    stats::count,
    throttle::Class,
    wire::Control,
};

/// Maximum size of a request body; backups are the largest.
const BODY_LIMIT: usize = 1024 * 1024;

/// Handles one HTTPS request. An error breaks the connection or stream.
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
    let target = state.target(authority(&parts));
    let context = RequestContext::new(
        target.persona,
        &parts.method,
        &parts.headers,
        state.clock.system_time(),
    );
    let caller = match state.tokens.check(&parts.headers, &target, &state.clock) {
        Ok(caller) => caller,
        Err(error) => {
            count(&state.counters.unauthorized);
            return Ok(unauthorized(&state, &context, &target, &error));
        }
    };
    let call = match Call::parse(&parts.method, parts.uri.path(), target.persona) {
        Ok(call) => call,
        Err(error) => return Ok(error_reply(&context, &error)),
    };
    if let Err(error) = state.permissions.check(&call, &target, &caller) {
        count(&state.counters.forbidden);
        return Ok(error_reply(&context, &error));
    }
    state.counters.operation(call.operation);
    let faults = state.faults.strike(call.operation);
    for _ in &faults {
        count(&state.counters.faults);
    }
    let body = Limited::new(body, BODY_LIMIT).collect().await;
    let requested = (&call, &target, &*caller);
    let replacement = disturb::before(&faults, &context, requested, &connection).await?;
    let response = match replacement {
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
    let rest = state.latency.draw().saturating_sub(context.started.elapsed());
    if !rest.is_zero() {
        tokio::time::sleep(rest).await;
    }
    Ok(disturb::closing(&faults, parts.version, &connection, response))
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
    admit(&context)?;
    if call.operation.meets_deleted() {
        state.store.purge_due(&target.vault, &target.recovery, state.clock.now())?;
    }
    keys::rotate_if_due(&context).await?;
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

/// Counts the request against the vault's limits, if there are any.
fn admit(context: &Context<'_>) -> Result<(), ApiError> {
    let Context { state, target, call, .. } = context;
    if target.persona == Persona::ManagedHsm || state.throttle.get().is_none() {
        return Ok(());
    }
    let found = state.store.version(&target.vault, &call.name, call.version.as_deref());
    let key =
        found.map(|(_, version)| (version.key_type.ends_with("-HSM"), version.material.spec()));
    let class = Class::of(call.operation, keys::requests_hsm(&context.body), key);
    state.throttle.admit(&target.vault, class, state.clock.now()).map_err(|wait| {
        count(&state.counters.throttled);
        ApiError { retry_after: wait, ..ApiError::throttled() }
    })
}

fn unauthorized(
    state: &State,
    context: &RequestContext,
    target: &Target,
    error: &ApiError,
) -> Response<Body> {
    let mut response = error_reply(context, error);
    add_challenge(state, &mut response, target);
    response
}

fn add_challenge(state: &State, response: &mut Response<Body>, target: &Target) {
    if let Ok(challenge) = HeaderValue::from_str(&auth::challenge(target, &state.tokens.tenant())) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
}
