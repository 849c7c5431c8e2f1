//! Keys: creating, reading, listing, changing, deleting, backing up, rotating.

mod backup;
mod create;
mod delete;
mod read;
mod release;
mod rotation;
mod update;

use serde_json::{Map, Value};

pub(super) use self::{
    create::{add_version, requested, requested_spec, requests_hsm},
    rotation::rotate_if_due,
};
use super::Context;
use crate::{error::ApiError, operation::Operation, reply::Reply, store::Key};

const KEY_OPERATIONS: [&str; 8] =
    ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey", "import", "export"];

pub(super) async fn run(context: &Context<'_>) -> Result<Reply, ApiError> {
    match context.call.operation {
        Operation::CreateKey => create::create(context).await,
        Operation::ImportKey => create::import_key(context),
        Operation::RotateKey => rotation::rotate(context).await,
        Operation::GetKey => read::read(context),
        Operation::UpdateKey => update::update(context),
        Operation::ListKeys | Operation::ListKeyVersions | Operation::ListDeletedKeys => {
            read::list(context)
        }
        Operation::DeleteKey => delete::delete(context),
        Operation::GetDeletedKey => delete::deleted(context),
        Operation::RecoverDeletedKey => delete::recover(context),
        Operation::PurgeDeletedKey => delete::purge(context),
        Operation::BackupKey => backup::backup(context),
        Operation::RestoreKey => backup::restore(context),
        Operation::ReleaseKey => release::release(context),
        Operation::GetRotationPolicy => rotation::rotation_policy(context),
        Operation::UpdateRotationPolicy => rotation::update_rotation_policy(context),
        _ => Err(ApiError::not_found()),
    }
}

/// The key, unless it does not exist or is deleted.
pub(super) fn live(context: &Context<'_>) -> Result<Key, ApiError> {
    context
        .state
        .store
        .key(&context.target.vault, &context.call.name)
        .filter(|key| key.deleted.is_none())
        .ok_or_else(|| context.not_found())
}

pub(super) fn refuse_deleted(context: &Context<'_>) -> Result<(), ApiError> {
    match context.state.store.key(&context.target.vault, &context.call.name) {
        Some(key) => key.refuse_deleted(context.target, context.state.clock.now()),
        None => Ok(()),
    }
}

/// Refuses to change the key of a certificate, which changes only with the certificate.
fn refuse_managed(context: &Context<'_>) -> Result<(), ApiError> {
    match context.state.store.key(&context.target.vault, &context.call.name) {
        Some(key) if key.is_managed() => {
            Err(ApiError::managed(context.call.operation.permission()))
        }
        _ => Ok(()),
    }
}

fn key_operations(requested: Option<&Value>) -> Result<Option<Vec<String>>, ApiError> {
    match requested {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(names)) => names
            .iter()
            .map(|name| name.as_str().filter(|name| KEY_OPERATIONS.contains(name)))
            .map(|name| name.map(str::to_owned).ok_or_else(|| ApiError::invalid_value("key_ops")))
            .collect::<Result<Vec<_>, _>>()
            .map(Some),
        Some(_) => Err(ApiError::invalid_value("key_ops")),
    }
}

fn tags(requested: Option<&Value>) -> Result<Option<Map<String, Value>>, ApiError> {
    match requested {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(tags)) if tags.values().all(Value::is_string) => Ok(Some(tags.clone())),
        Some(_) => Err(ApiError::invalid_value("tags")),
    }
}
