//! Creating, reading, listing, changing and deleting keys.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Context, blocking};
use crate::{
    admin,
    attributes::Attributes,
    base64url,
    error::ApiError,
    keys::{Curve, KeyMaterial, KeySpec, import},
    operation::{Operation, is_valid_name},
    paging,
    persona::{Persona, Target},
    reply::Reply,
    rotation, state_dir,
    store::{Key, KeyVersion, add_deletion},
};

const KEY_OPERATIONS: [&str; 8] =
    ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey", "import", "export"];

pub(super) async fn run(context: &Context<'_>) -> Result<Reply, ApiError> {
    match context.call.operation {
        Operation::CreateKey => create(context).await,
        Operation::ImportKey => import_key(context),
        Operation::RotateKey => rotate(context).await,
        Operation::GetKey => read(context),
        Operation::UpdateKey => update(context),
        Operation::ListKeys | Operation::ListKeyVersions | Operation::ListDeletedKeys => {
            list(context)
        }
        Operation::DeleteKey => delete(context),
        Operation::GetDeletedKey => deleted(context),
        Operation::RecoverDeletedKey => recover(context),
        Operation::PurgeDeletedKey => purge(context),
        Operation::BackupKey => backup(context),
        Operation::RestoreKey => restore(context),
        Operation::GetRotationPolicy => rotation_policy(context),
        Operation::UpdateRotationPolicy => update_rotation_policy(context),
        _ => Err(ApiError::not_found()),
    }
}

/// 32 hexadecimal digits.
pub(crate) fn new_version() -> String {
    Uuid::new_v4().simple().to_string()
}

async fn create(context: &Context<'_>) -> Result<Reply, ApiError> {
    let body = &context.body;
    let asked = body.get("kty").and_then(Value::as_str).unwrap_or_default();
    let key_type = context.persona().key_type(asked).ok_or_else(|| ApiError::invalid_value(""))?;
    let spec = requested_spec(key_type, body)?;
    refuse_deleted(context)?;
    let template = requested(context, key_type, body)?;
    let material = blocking(move || spec.generate()).await?;
    add_version(context, template.with(material))
}

pub(super) fn requested_spec(key_type: &str, body: &Value) -> Result<KeySpec, ApiError> {
    let size = match body.get("key_size") {
        None | Some(Value::Null) => None,
        Some(size) => Some(
            size.as_u64()
                .and_then(|size| usize::try_from(size).ok())
                .ok_or_else(|| ApiError::invalid_value("key_size"))?,
        ),
    };
    match key_type {
        "RSA" | "RSA-HSM" => match size.unwrap_or(2048) {
            bits @ (2048 | 3072 | 4096) => Ok(KeySpec::Rsa(bits)),
            _ => Err(ApiError::invalid_value("key_size")),
        },
        "EC" | "EC-HSM" => match body.get("crv").and_then(Value::as_str) {
            None => Ok(KeySpec::Ec(Curve::P256)),
            Some(name) => Curve::from_name(name)
                .map(KeySpec::Ec)
                .ok_or_else(|| ApiError::invalid_value("crv")),
        },
        _ => match size.unwrap_or(256) {
            bits @ (128 | 192 | 256) => Ok(KeySpec::Oct(bits)),
            _ => Err(ApiError::invalid_value("key_size")),
        },
    }
}

/// A version without its key.
pub(super) struct Template {
    key_type: &'static str,
    operations: Vec<String>,
    pub(super) attributes: Attributes,
    tags: Map<String, Value>,
}

impl Template {
    pub(super) fn with(self, material: KeyMaterial) -> KeyVersion {
        KeyVersion {
            version: new_version(),
            key_type: self.key_type.to_owned(),
            material,
            operations: self.operations,
            attributes: self.attributes,
            tags: self.tags,
            leading_zeros: false,
            certificate: None,
        }
    }
}

pub(super) fn requested(
    context: &Context<'_>,
    key_type: &'static str,
    body: &Value,
) -> Result<Template, ApiError> {
    let mut attributes = Attributes::new(context.state.clock.now());
    attributes.merge(body.get("attributes").unwrap_or(&Value::Null))?;
    let operations = key_operations(body.get("key_ops"))?;
    let defaults = || {
        let names = context.persona().default_operations(key_type);
        names.iter().map(|name| (*name).to_owned()).collect()
    };
    Ok(Template {
        key_type,
        operations: operations.unwrap_or_else(defaults),
        attributes,
        tags: tags(body.get("tags"))?.unwrap_or_default(),
    })
}

fn key_operations(asked: Option<&Value>) -> Result<Option<Vec<String>>, ApiError> {
    match asked {
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

fn tags(asked: Option<&Value>) -> Result<Option<Map<String, Value>>, ApiError> {
    match asked {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(tags)) if tags.values().all(Value::is_string) => Ok(Some(tags.clone())),
        Some(_) => Err(ApiError::invalid_value("tags")),
    }
}

pub(super) fn refuse_deleted(context: &Context<'_>) -> Result<(), ApiError> {
    match context.state.store.key(&context.target.vault, &context.call.name) {
        Some(key) if key.deleted.is_some() => {
            Err(ApiError::deleted_but_recoverable(&context.call.name))
        }
        _ => Ok(()),
    }
}

pub(super) fn add_version(context: &Context<'_>, version: KeyVersion) -> Result<Reply, ApiError> {
    let name = &context.call.name;
    let version = Arc::new(version);
    context.state.store.change(&context.target.vault, name, |slot| {
        let key = slot.get_or_insert_with(|| Key {
            name: name.clone(),
            versions: Vec::new(),
            rotation_policy: None,
            deleted: None,
        });
        if key.deleted.is_some() {
            return Err(ApiError::deleted_but_recoverable(name));
        }
        key.versions.push(Arc::clone(&version));
        Ok(Reply::ok(version.bundle(context.target, &key.name)))
    })
}

fn import_key(context: &Context<'_>) -> Result<Reply, ApiError> {
    let body = &context.body;
    let Some(jwk) = body.get("key").and_then(Value::as_object) else {
        return Err(ApiError::bad_parameter(
            "The property \"key\" must be a valid JsonWebKey object.",
        ));
    };
    let material = import(context.persona(), jwk)?;
    let asked = jwk.get("kty").and_then(Value::as_str).unwrap_or_default();
    let hsm = body.get("Hsm").or_else(|| body.get("hsm")).and_then(Value::as_bool) == Some(true);
    let asked = match (asked, hsm) {
        ("RSA", true) => "RSA-HSM",
        ("EC", true) => "EC-HSM",
        (other, _) => other,
    };
    let key_type = context.persona().key_type(asked).ok_or_else(|| ApiError::invalid_value(""))?;
    let mut template = requested(context, key_type, body)?;
    if let Some(operations) = key_operations(jwk.get("key_ops"))? {
        template.operations = operations;
    }
    add_version(context, template.with(material))
}

/// Key generation is slow for RSA, so the whole of it runs off the connections' threads.
async fn rotate(context: &Context<'_>) -> Result<Reply, ApiError> {
    let (state, target) = (Arc::clone(context.state), context.target.clone());
    let name = context.call.name.clone();
    let id = blocking(move || admin::rotate(&state, &target, &name)).await?;
    let store = &context.state.store;
    let found = store.version(&context.target.vault, &id.name, Some(&id.version));
    let (name, version) = found.ok_or_else(|| context.not_found())?;
    Ok(Reply::ok(version.bundle(context.target, &name)))
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

fn read(context: &Context<'_>) -> Result<Reply, ApiError> {
    let call = context.call;
    let (name, version) = context
        .state
        .store
        .version(&context.target.vault, &call.name, call.version.as_deref())
        .ok_or_else(|| context.not_found())?;
    version.attributes.permit(Operation::GetKey, context.state.clock.now())?;
    Ok(Reply::ok(version.bundle(context.target, &name)))
}

fn update(context: &Context<'_>) -> Result<Reply, ApiError> {
    let (call, body) = (context.call, &context.body);
    let (operations, tags) = (key_operations(body.get("key_ops"))?, tags(body.get("tags"))?);
    context.state.store.change(&context.target.vault, &call.name, |slot| {
        let key =
            slot.as_mut().filter(|key| key.deleted.is_none()).ok_or_else(|| context.not_found())?;
        let name = key.name.clone();
        let wanted = call.version.as_deref();
        let found = match wanted {
            Some(wanted) => key.versions.iter_mut().find(|version| version.version == wanted),
            None => key.versions.last_mut(),
        };
        let version = found.ok_or_else(|| context.not_found())?;
        let mut changed = (**version).clone();
        changed.attributes.merge(body.get("attributes").unwrap_or(&Value::Null))?;
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

fn list(context: &Context<'_>) -> Result<Reply, ApiError> {
    let (store, target) = (&context.state.store, context.target);
    let (path, items) = match context.call.operation {
        Operation::ListKeys => {
            let keys = store.keys(&target.vault, |key| key.deleted.is_none());
            ("/keys".to_owned(), keys.iter().filter_map(|key| item(target, key)).collect())
        }
        Operation::ListDeletedKeys => {
            let keys = store.keys(&target.vault, |key| key.deleted.is_some());
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
        add_deletion(&mut item, target, &key.name, deleted);
    }
    Some((key.name.to_ascii_lowercase(), item))
}

fn deleted_bundle(context: &Context<'_>, key: &Key) -> Result<Reply, ApiError> {
    let version = key.version(None).ok_or_else(|| context.not_found())?;
    let mut bundle = version.bundle(context.target, &key.name);
    if let Some(deleted) = key.deleted {
        add_deletion(&mut bundle, context.target, &key.name, deleted);
    }
    Ok(Reply::ok(bundle))
}

fn delete(context: &Context<'_>) -> Result<Reply, ApiError> {
    context.state.store.change(&context.target.vault, &context.call.name, |slot| {
        let key =
            slot.as_mut().filter(|key| key.deleted.is_none()).ok_or_else(|| context.not_found())?;
        if key.version(None).is_some_and(|version| version.certificate.is_some()) {
            return Err(ApiError::managed("delete"));
        }
        key.deleted = Some(context.state.clock.now());
        deleted_bundle(context, key)
    })
}

fn no_deleted(context: &Context<'_>) -> ApiError {
    ApiError::deleted_key_not_found(context.persona(), &context.target.base, &context.call.name)
}

fn deleted(context: &Context<'_>) -> Result<Reply, ApiError> {
    let key = context.state.store.key(&context.target.vault, &context.call.name);
    let key = key.filter(|key| key.deleted.is_some()).ok_or_else(|| no_deleted(context))?;
    deleted_bundle(context, &key)
}

fn recover(context: &Context<'_>) -> Result<Reply, ApiError> {
    context.state.store.change(&context.target.vault, &context.call.name, |slot| {
        let key = slot.as_mut().filter(|key| key.deleted.is_some());
        let key = key.ok_or_else(|| no_deleted(context))?;
        key.deleted = None;
        deleted_bundle(context, key)
    })
}

fn purge(context: &Context<'_>) -> Result<Reply, ApiError> {
    context.state.store.change(&context.target.vault, &context.call.name, |slot| {
        slot.take_if(|key| key.deleted.is_some()).ok_or_else(|| no_deleted(context))?;
        Ok(Reply::no_content())
    })
}

/// The emulator's backups are readable, unlike the service's: they protect test keys.
fn backup(context: &Context<'_>) -> Result<Reply, ApiError> {
    let key = live(context)?;
    let blob = state_dir::to_json(&context.target.vault, &key).to_string();
    Ok(Reply::ok(json!({ "value": base64url::encode(blob) })))
}

fn restore(context: &Context<'_>) -> Result<Reply, ApiError> {
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

fn rotation_policy(context: &Context<'_>) -> Result<Reply, ApiError> {
    let key = live(context)?;
    Ok(Reply::ok(with_id(context, &key, key.rotation_policy.clone())))
}

fn update_rotation_policy(context: &Context<'_>) -> Result<Reply, ApiError> {
    let now = context.state.clock.now();
    context.state.store.change(&context.target.vault, &context.call.name, |slot| {
        let key =
            slot.as_mut().filter(|key| key.deleted.is_none()).ok_or_else(|| context.not_found())?;
        let previous = key.rotation_policy.as_ref();
        let policy = rotation::update(context.persona(), previous, &context.body, now)?;
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
