//! Creating, rotating and disabling keys in the vault of the request's host name.

use std::sync::Arc;

use hyper::http::request::Parts;
use serde::Deserialize;
use serde_json::json;

use super::{ControlResult, unknown};
use crate::{
    admin,
    keys::{KeyId, NewKey},
    request::{authority, blocking},
    state::State,
};

/// A key to create: in the format of the program's `--key`, with the subject of its certificate if
/// it has one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Requested {
    key: String,
    subject: Option<String>,
}

pub(super) async fn answer(
    state: &Arc<State>,
    parts: &Parts,
    path: &[&str],
    body: &[u8],
) -> ControlResult {
    let target = state.target(authority(parts));
    let state = Arc::clone(state);
    let id: KeyId = match *path {
        [] => {
            let wanted: Requested = serde_json::from_slice(body)?;
            let key: NewKey = wanted.key.parse()?;
            let target = match key.vault.as_str() {
                "" => target,
                host => state.target(host),
            };
            blocking(move || match wanted.subject {
                Some(subject) => admin::create_certificate(&state, &target, key, &subject),
                None => admin::create(&state, &target, key),
            })
            .await?
        }
        [name, "rotate"] => {
            let name = name.to_owned();
            blocking(move || admin::rotate(&state, &target, &name)).await?
        }
        [name, "disable"] => admin::set_enabled(&state, &target, name, false)?,
        [name, "enable"] => admin::set_enabled(&state, &target, name, true)?,
        _ => return Err(unknown()),
    };
    Ok(json!({ "kid": id.url, "version": id.version }))
}
