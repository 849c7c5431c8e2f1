//! Issuing and revoking tokens.

use serde::Deserialize;
use serde_json::json;

use super::{ControlResult, optional, unknown};
use crate::{
    auth::{CLIENT_ID, TENANT},
    state::State,
    stats::count,
};

/// A token to issue; missing members default to those of the emulator's own token.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Requested {
    audience: Option<String>,
    identity: Option<String>,
    tenant: Option<String>,
}

/// The token to revoke, or all.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Revoked {
    token: Option<String>,
}

pub(super) fn answer(state: &State, path: &[&str], body: &[u8]) -> ControlResult {
    match path {
        [] => {
            let wanted: Requested = optional(body)?;
            count(&state.counters.tokens_issued);
            let token = state.tokens.issue(
                wanted.audience.as_deref().unwrap_or_else(|| state.persona.audience()),
                wanted.tenant.as_deref().unwrap_or(TENANT),
                wanted.identity.as_deref().unwrap_or(CLIENT_ID),
                state.clock.now(),
            );
            Ok(json!({ "token": token, "expiresIn": state.tokens.lifetime().as_secs() }))
        }
        ["revoke"] => {
            match optional::<Revoked>(body)?.token {
                Some(token) => state.tokens.revoke(&token),
                None => state.tokens.revoke_all(),
            }
            Ok(json!({}))
        }
        _ => Err(unknown()),
    }
}
