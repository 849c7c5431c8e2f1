//! Deleting keys; recovering and purging deleted ones.

use crate::{
    error::ApiError,
    reply::Reply,
    routes::Context,
    store::{Key, add_deletion},
};

pub(super) fn delete(context: &Context<'_>) -> Result<Reply, ApiError> {
    context.state.store.change(&context.target.vault, &context.call.name, |slot| {
        let key =
            slot.as_mut().filter(|key| key.deleted.is_none()).ok_or_else(|| context.not_found())?;
        if key.is_managed() {
            return Err(ApiError::managed("delete"));
        }
        key.deleted = Some(context.state.clock.now());
        deleted_bundle(context, key)
    })
}

pub(super) fn deleted(context: &Context<'_>) -> Result<Reply, ApiError> {
    let key = context.state.store.key(&context.target.vault, &context.call.name);
    // Clients poll until it exists, which means that the deletion has ended.
    let key = key.filter(|key| key.deleted.is_some() && !context.is_deleting(key));
    let key = key.ok_or_else(|| no_deleted(context))?;
    deleted_bundle(context, &key)
}

pub(super) fn recover(context: &Context<'_>) -> Result<Reply, ApiError> {
    context.state.store.change(&context.target.vault, &context.call.name, |slot| {
        let key = slot.as_mut().filter(|key| key.deleted.is_some());
        let key = key.ok_or_else(|| no_deleted(context))?;
        if context.is_deleting(key) {
            return Err(ApiError::being_deleted("Key"));
        }
        if key.is_managed() {
            return Err(ApiError::managed("recover"));
        }
        key.deleted = None;
        deleted_bundle(context, key)
    })
}

pub(super) fn purge(context: &Context<'_>) -> Result<Reply, ApiError> {
    context.state.store.change(&context.target.vault, &context.call.name, |slot| {
        let key = slot.as_ref().filter(|key| key.deleted.is_some());
        let key = key.ok_or_else(|| no_deleted(context))?;
        if context.is_deleting(key) {
            return Err(ApiError::being_deleted("Key"));
        }
        if key.is_managed() {
            return Err(ApiError::managed("purge"));
        }
        if context.target.recovery.purge_protection {
            return Err(ApiError::purge_protected());
        }
        *slot = None;
        Ok(Reply::no_content())
    })
}

fn deleted_bundle(context: &Context<'_>, key: &Key) -> Result<Reply, ApiError> {
    let version = key.version(None).ok_or_else(|| context.not_found())?;
    let mut bundle = version.bundle(context.target, &key.name);
    if let Some(deleted) = key.deleted {
        add_deletion(&mut bundle, context.target, "deletedkeys", &key.name, deleted);
    }
    Ok(Reply::ok(bundle))
}

fn no_deleted(context: &Context<'_>) -> ApiError {
    ApiError::deleted_key_not_found(context.persona(), &context.target.base, &context.call.name)
}
