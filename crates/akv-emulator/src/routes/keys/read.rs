//! Reading and listing keys.

use std::sync::Arc;

use serde_json::Value;

use super::live;
use crate::{
    error::ApiError,
    operation::Operation,
    persona::Target,
    reply::Reply,
    routes::Context,
    routes::paging,
    store::{Key, KeyVersion, add_deletion},
};

pub(super) fn read(context: &Context<'_>) -> Result<Reply, ApiError> {
    let (name, version) = context.version()?;
    Ok(Reply::ok(version.bundle(context.target, &name)))
}

pub(super) fn list(context: &Context<'_>) -> Result<Reply, ApiError> {
    let (store, target) = (&context.state.store, context.target);
    let (path, items) = match context.call.operation {
        Operation::ListKeys => {
            let keys = store.keys(&target.vault, |key| key.deleted.is_none());
            ("/keys".to_owned(), keys.iter().filter_map(|key| item(target, key)).collect())
        }
        Operation::ListDeletedKeys => {
            let keys =
                store.keys(&target.vault, |key| key.deleted.is_some() && !context.is_deleting(key));
            let items = keys.iter().filter_map(|key| item(target, key)).collect();
            ("/deletedkeys".to_owned(), items)
        }
        _ => {
            let key = live(context)?;
            let mut versions = key.versions.clone();
            versions.sort_by(|a, b| a.version.cmp(&b.version));
            let item = |version: &Arc<KeyVersion>| {
                let id = format!("{}/{}", key.name, version.version);
                (version.version.clone(), version.item(target, &id))
            };
            (format!("/keys/{}/versions", key.name), versions.iter().map(item).collect())
        }
    };
    paging::page(context, &path, items).map(Reply::ok)
}

/// The sort key of a list entry with the entry.
fn item(target: &Target, key: &Key) -> Option<(String, Value)> {
    let mut item = key.version(None)?.item(target, &key.name);
    if let Some(deleted) = key.deleted {
        add_deletion(&mut item, target, "deletedkeys", &key.name, deleted);
    }
    Some((key.name.to_ascii_lowercase(), item))
}
