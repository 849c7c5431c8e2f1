//! Backups of keys, with all their versions.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::live;
use crate::{
    base64url,
    call::is_valid_name,
    error::ApiError,
    persona::Persona,
    reply::Reply,
    routes::Context,
    store::{Key, from_json, to_json},
};

/// The prefix of a service's backups. Each service accepts only its own.
const fn prefix(persona: Persona) -> &'static str {
    match persona {
        Persona::Vault => "&AzureKeyVaultKeyBackupV1.microsoft.com",
        Persona::ManagedHsm => "&akv-emulator.ManagedHsmKeyBackupV1",
    }
}

/// Unlike the service's, the emulator's backups are unencrypted: they contain test keys.
pub(super) fn backup(context: &Context<'_>) -> Result<Reply, ApiError> {
    let key = live(context)?;
    let blob = write(context.persona(), &to_json(&context.target.vault, &key));
    Ok(Reply::ok(json!({ "value": base64url::encode(blob) })))
}

/// The prefix, the key and its digest.
fn write(persona: Persona, key: &Value) -> String {
    let key = key.to_string();
    let digest = base64url::encode(digest(&SHA256, key.as_bytes()));
    format!("{}{}.{digest}", prefix(persona), base64url::encode(key))
}

/// `None` for anything that [`write`] did not produce.
fn read(persona: Persona, blob: &str) -> Option<Key> {
    let blob = String::from_utf8(base64url::decode(blob)?).ok()?;
    let (key, sum) = blob.strip_prefix(prefix(persona))?.split_once('.')?;
    let key = base64url::decode(key)?;
    if base64url::encode(digest(&SHA256, &key)) != sum {
        return None;
    }
    let (_, key) = from_json(serde_json::from_slice(&key).ok()?).ok()?;
    is_valid_name(&key.name).then_some(Key { deleted: None, ..key })
}

/// Restores a key with all its versions, in any vault of the same service.
pub(super) fn restore(context: &Context<'_>) -> Result<Reply, ApiError> {
    let blob = context.body.get("value").and_then(Value::as_str);
    let key = blob.and_then(|blob| read(context.persona(), blob));
    let key = key.ok_or_else(|| ApiError::malformed_backup(context.persona()))?;
    let current = key.version(None).map(Arc::clone).ok_or_else(|| context.not_found())?;
    let name = key.name.clone();
    context.state.store.change(&context.target.vault, &name, |slot| {
        if let Some(taken) = slot {
            taken.refuse_deleted(context.target, context.state.clock.now())?;
            return Err(ApiError::restore_conflict(&current.url(context.target, &name)));
        }
        *slot = Some(key);
        Ok(Reply::ok(current.bundle(context.target, &name)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modified_backup_is_refused() {
        for persona in [Persona::Vault, Persona::ManagedHsm] {
            let blob = write(persona, &json!({ "name": "k" }));
            assert!(read(persona, &base64url::encode(&blob)).is_none(), "no key");
            for bad in ["", "AAAA", "%", &blob] {
                assert!(read(persona, bad).is_none(), "{bad}");
            }
        }
    }
}
