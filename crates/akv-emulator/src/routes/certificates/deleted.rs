//! Deleting certificates together with their keys; recovering and purging deleted ones.

use serde_json::Value;

use super::not_found;
use crate::{
    error::ApiError,
    reply::Reply,
    routes::Context,
    routes::paging,
    store::{Key, add_deletion},
};

pub(super) fn delete(context: &Context<'_>) -> Result<Reply, ApiError> {
    context.state.store.change(&context.target.vault, &context.call.name, |slot| {
        let key = slot.as_mut().filter(|key| key.deleted.is_none() && key.is_managed());
        let key = key.ok_or_else(|| not_found(context))?;
        key.deleted = Some(context.state.clock.now());
        bundle(context, key)
    })
}

pub(super) fn read(context: &Context<'_>) -> Result<Reply, ApiError> {
    let key = context.state.store.key(&context.target.vault, &context.call.name);
    let key = key.filter(|key| is_deleted(key) && !context.is_deleting(key));
    bundle(context, &key.ok_or_else(|| no_deleted(context))?)
}

pub(super) fn list(context: &Context<'_>) -> Result<Reply, ApiError> {
    let filter = |key: &Key| is_deleted(key) && !context.is_deleting(key);
    let keys = context.state.store.keys(&context.target.vault, filter);
    let entry = |key: &Key| {
        let mut item = key.version(None)?.certificate_item(context.target, &key.name)?;
        add(context, &mut item, key);
        Some((key.name.to_ascii_lowercase(), item))
    };
    let items = keys.iter().filter_map(entry).collect();
    paging::page(context, "/deletedcertificates", items).map(Reply::ok)
}

pub(super) fn recover(context: &Context<'_>) -> Result<Reply, ApiError> {
    context.state.store.change(&context.target.vault, &context.call.name, |slot| {
        let key = slot.as_mut().filter(|key| is_deleted(key));
        let key = key.ok_or_else(|| no_deleted(context))?;
        if context.is_deleting(key) {
            return Err(ApiError::being_deleted("Certificate"));
        }
        key.deleted = None;
        bundle(context, key)
    })
}

pub(super) fn purge(context: &Context<'_>) -> Result<Reply, ApiError> {
    context.state.store.change(&context.target.vault, &context.call.name, |slot| {
        let key = slot.as_ref().filter(|key| is_deleted(key));
        let key = key.ok_or_else(|| no_deleted(context))?;
        if context.is_deleting(key) {
            return Err(ApiError::being_deleted("Certificate"));
        }
        if context.target.recovery.purge_protection {
            return Err(ApiError::purge_protected());
        }
        *slot = None;
        Ok(Reply::no_content())
    })
}

fn is_deleted(key: &Key) -> bool {
    key.deleted.is_some() && key.is_managed()
}

fn no_deleted(context: &Context<'_>) -> ApiError {
    ApiError::deleted_certificate_not_found(&context.call.name)
}

fn bundle(context: &Context<'_>, key: &Key) -> Result<Reply, ApiError> {
    let version = key.version(None);
    let bundle = version.and_then(|version| version.certificate_bundle(context.target, &key.name));
    let mut bundle = bundle.ok_or_else(|| not_found(context))?;
    add(context, &mut bundle, key);
    Ok(Reply::ok(bundle))
}

fn add(context: &Context<'_>, object: &mut Value, key: &Key) {
    if let Some(deleted) = key.deleted {
        add_deletion(object, context.target, "deletedcertificates", &key.name, deleted);
    }
}
