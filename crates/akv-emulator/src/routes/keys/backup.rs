//! Backups of keys.

use serde_json::{Value, json};

use super::live;
use crate::{
    base64url, error::ApiError, operation::is_valid_name, reply::Reply, routes::Context, state_dir,
    store::Key,
};

/// The emulator's backups are readable, unlike the service's: they protect test keys.
pub(super) fn backup(context: &Context<'_>) -> Result<Reply, ApiError> {
    let key = live(context)?;
    let blob = state_dir::to_json(&context.target.vault, &key).to_string();
    Ok(Reply::ok(json!({ "value": base64url::encode(blob) })))
}

pub(super) fn restore(context: &Context<'_>) -> Result<Reply, ApiError> {
    let blob = context.body.get("value").and_then(Value::as_str).and_then(base64url::decode);
    let key = blob
        .and_then(|blob| serde_json::from_slice(&blob).ok())
        .and_then(state_dir::from_json)
        .map(|(_, key)| Key { deleted: None, ..key })
        .filter(|key| is_valid_name(&key.name))
        .ok_or_else(|| ApiError::malformed_backup(context.persona()))?;
    let name = key.name.clone();
    context.state.store.change(&context.target.vault, &name, |slot| {
        let current = key.version(None).ok_or_else(|| context.not_found())?;
        if slot.is_some() {
            let url = current.url(context.target, &name);
            return Err(ApiError::restore_conflict(&url));
        }
        let reply = Reply::ok(current.bundle(context.target, &name));
        *slot = Some(key);
        Ok(reply)
    })
}
