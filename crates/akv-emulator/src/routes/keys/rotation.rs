//! Rotating keys, and rotation policies.

use std::sync::Arc;

use serde_json::Value;

use super::{live, refuse_managed};
use crate::{
    admin, error::ApiError, persona::Persona, reply::Reply, request::blocking, rotation,
    routes::Context, store::Key,
};

/// Key generation is slow for RSA, so all of this runs outside the connections' threads.
pub(super) async fn rotate(context: &Context<'_>) -> Result<Reply, ApiError> {
    refuse_managed(context)?;
    let (state, target) = (Arc::clone(context.state), context.target.clone());
    let name = context.call.name.clone();
    let id = blocking(move || admin::rotate(&state, &target, &name)).await?;
    let store = &context.state.store;
    let found = store.version(&context.target.vault, &id.name, Some(&id.version));
    let (name, version) = found.ok_or_else(|| context.not_found())?;
    Ok(Reply::ok(version.bundle(context.target, &name)))
}

/// Rotates a key that is due by its policy. It runs before each request for the key, so that the
/// emulator's clock may jump.
pub(in crate::routes) async fn rotate_if_due(context: &Context<'_>) -> Result<(), ApiError> {
    let due = context.state.store.rotation_due(&context.target.vault, &context.call.name);
    if due.is_none_or(|due| context.state.clock.now() < due) {
        return Ok(());
    }
    let (state, target) = (Arc::clone(context.state), context.target.clone());
    let name = context.call.name.clone();
    blocking(move || admin::rotate(&state, &target, &name)).await.map(|_| ())
}

pub(super) fn rotation_policy(context: &Context<'_>) -> Result<Reply, ApiError> {
    let key = live(context)?;
    Ok(Reply::ok(with_id(context, &key, key.rotation_policy.clone())))
}

pub(super) fn update_rotation_policy(context: &Context<'_>) -> Result<Reply, ApiError> {
    let now = context.state.clock.now();
    context.state.store.change(&context.target.vault, &context.call.name, |slot| {
        let key =
            slot.as_mut().filter(|key| key.deleted.is_none()).ok_or_else(|| context.not_found())?;
        let expires = key.version(None).is_some_and(|version| version.attributes.exp.is_some());
        let previous = key.rotation_policy.as_ref();
        let policy = rotation::update(context.persona(), previous, &context.body, expires, now)?;
        key.rotation_policy = Some(policy.clone());
        Ok(Reply::ok(with_id(context, key, Some(policy))))
    })
}

fn with_id(context: &Context<'_>, key: &Key, policy: Option<Value>) -> Value {
    let path = format!("keys/{}/rotationpolicy", key.name);
    let mut policy = policy.unwrap_or_else(|| rotation::default(context.persona()));
    policy["id"] = match context.persona() {
        Persona::Vault => format!("{}/{path}", context.target.base).into(),
        Persona::ManagedHsm => path.into(),
    };
    policy
}
