//! The agent of an Azure Arc server.
//!
//! Protocol: <https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication>.

use hyper::{
    StatusCode,
    header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE},
    http::request::Parts,
};
use serde_json::json;

use super::{bad_request, error, has_metadata_header, machine, query};
use crate::{auth::CLIENT_ID, state::State, token_reply::TokenReply};

/// The protocol versions that distinguish it from a virtual machine's endpoint at the same path.
const VERSIONS: [&str; 2] = ["2019-11-01", "2020-06-01"];

/// Whether a request uses the agent's protocol.
pub(super) fn uses_agent_protocol(version: Option<&str>) -> bool {
    version.is_some_and(|version| VERSIONS.contains(&version))
}

/// Responds to a token request: first with the name of a secret file, then, for clients that send
/// its content, with the token.
pub(super) fn answer(state: &State, parts: &Parts) -> TokenReply {
    if !has_metadata_header(parts) {
        return bad_request("Required metadata header not specified");
    }
    let query = query(parts);
    let Some(resource) = query.get("resource") else {
        return bad_request("Required query variable 'resource' is missing");
    };
    let secret = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match secret {
        None => challenge(state),
        Some(value)
            if value.strip_prefix("Basic ").is_some_and(|s| state.arc.accepts_secret(s)) =>
        {
            TokenReply::new(StatusCode::OK, machine(state, resource, CLIENT_ID))
        }
        Some(_) => {
            let body = json!({ "error": "unauthorized", "error_description": "Invalid secret" });
            TokenReply::new(StatusCode::UNAUTHORIZED, body)
        }
    }
}

fn challenge(state: &State) -> TokenReply {
    match state.arc.challenge() {
        Ok(Some(file)) => {
            let body = error("unauthorized", "Missing or invalid secret");
            let mut reply = TokenReply::new(StatusCode::UNAUTHORIZED, body);
            let challenge = format!("Basic realm={}", file.display());
            if let Ok(challenge) = HeaderValue::from_str(&challenge) {
                reply.header(WWW_AUTHENTICATE, challenge);
            }
            reply
        }
        Ok(None) => {
            let body = error("not_found", "This machine is not an Azure Arc server");
            TokenReply::new(StatusCode::NOT_FOUND, body)
        }
        Err(reason) => {
            let text = format!("The secret file could not be written: {reason}");
            TokenReply::new(StatusCode::INTERNAL_SERVER_ERROR, error("unknown", &text))
        }
    }
}
