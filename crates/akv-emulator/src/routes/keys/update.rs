//! Changing a key's attributes, operations and tags.

use std::sync::Arc;

use serde_json::Value;

use super::{key_operations, release, tags};
use crate::{error::ApiError, reply::Reply, routes::Context};

pub(super) fn update(context: &Context<'_>) -> Result<Reply, ApiError> {
    let (call, body) = (context.call, &context.body);
    let (operations, tags) = (key_operations(body.get("key_ops"))?, tags(body.get("tags"))?);
    context.state.store.change(&context.target.vault, &call.name, |slot| {
        let key =
            slot.as_mut().filter(|key| key.deleted.is_none()).ok_or_else(|| context.not_found())?;
        if key.is_managed() {
            return Err(ApiError::managed("update"));
        }
        let name = key.name.clone();
        let wanted = call.version.as_deref();
        let found = match wanted {
            Some(wanted) => key.versions.iter_mut().find(|version| version.version == wanted),
            None => key.versions.last_mut(),
        };
        let version = found.ok_or_else(|| context.not_found())?;
        let mut changed = (**version).clone();
        changed.attributes.merge(body.get("attributes").unwrap_or(&Value::Null))?;
        release::update(&mut changed, context.persona(), body.get("release_policy"))?;
        changed.attributes.updated = context.state.clock.now();
        if let Some(operations) = operations {
            changed.operations = operations;
        }
        if let Some(tags) = tags {
            changed.tags = tags;
        }
        let bundle = changed.bundle(context.target, &name);
        *version = Arc::new(changed);
        Ok(Reply::ok(bundle))
    })
}
