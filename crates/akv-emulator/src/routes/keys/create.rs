//! Creating and importing keys.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{key_operations, refuse_deleted, refuse_managed, release, tags};
use crate::{
    admin,
    attributes::Attributes,
    error::ApiError,
    keys::{Curve, KeyMaterial, KeySpec, import},
    reply::Reply,
    request::blocking,
    routes::Context,
    store::{KeyVersion, new_version},
};

pub(super) async fn create(context: &Context<'_>) -> Result<Reply, ApiError> {
    let body = &context.body;
    let wanted_type = body.get("kty").and_then(Value::as_str).unwrap_or_default();
    let key_type =
        context.persona().key_type(wanted_type).ok_or_else(|| ApiError::invalid_value(""))?;
    let spec = requested_spec(key_type, body)?;
    refuse_deleted(context)?;
    refuse_managed(context)?;
    let template = requested(context, key_type, body)?;
    let material = blocking(move || spec.generate()).await?;
    add_version(context, template.with(material))
}

pub(super) fn import_key(context: &Context<'_>) -> Result<Reply, ApiError> {
    refuse_managed(context)?;
    let body = &context.body;
    let Some(jwk) = body.get("key").and_then(Value::as_object) else {
        return Err(ApiError::bad_parameter(
            "The property \"key\" must be a valid JsonWebKey object.",
        ));
    };
    let material = import(context.persona(), jwk)?;
    let wanted_type = jwk.get("kty").and_then(Value::as_str).unwrap_or_default();
    let wanted_type = match (wanted_type, requests_hsm(body)) {
        ("RSA", true) => "RSA-HSM",
        ("EC", true) => "EC-HSM",
        (other, _) => other,
    };
    let key_type =
        context.persona().key_type(wanted_type).ok_or_else(|| ApiError::invalid_value(""))?;
    let mut template = requested(context, key_type, body)?;
    if let Some(operations) = key_operations(jwk.get("key_ops"))? {
        template.operations = operations;
    }
    add_version(context, template.with(material))
}

/// Whether a request to create or import a key, or a certificate's policy, requests an HSM key.
pub(in crate::routes) fn requests_hsm(body: &Value) -> bool {
    let flag = body.get("Hsm").or_else(|| body.get("hsm"));
    let types = [&body["kty"], &body["key"]["kty"], &body["policy"]["key_props"]["kty"]];
    flag.and_then(Value::as_bool) == Some(true)
        || types.iter().any(|kty| kty.as_str().is_some_and(|kty| kty.ends_with("-HSM")))
}

pub(in crate::routes) fn requested_spec(key_type: &str, body: &Value) -> Result<KeySpec, ApiError> {
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
pub(in crate::routes) struct Template {
    key_type: &'static str,
    operations: Vec<String>,
    pub(in crate::routes) attributes: Attributes,
    tags: Map<String, Value>,
    release_policy: Option<Value>,
}

impl Template {
    pub(in crate::routes) fn with(self, material: KeyMaterial) -> KeyVersion {
        KeyVersion {
            version: new_version(),
            key_type: self.key_type.to_owned(),
            material,
            operations: self.operations,
            attributes: self.attributes,
            tags: self.tags,
            leading_zeros: false,
            release_policy: self.release_policy,
            certificate: None,
        }
    }
}

pub(in crate::routes) fn requested(
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
    let release_policy = release::requested(body.get("release_policy"), attributes.exportable)?;
    Ok(Template {
        key_type,
        operations: operations.unwrap_or_else(defaults),
        attributes,
        tags: tags(body.get("tags"))?.unwrap_or_default(),
        release_policy,
    })
}

pub(in crate::routes) fn add_version(
    context: &Context<'_>,
    version: KeyVersion,
) -> Result<Reply, ApiError> {
    let name = &context.call.name;
    let version = Arc::new(version);
    context.state.store.change(&context.target.vault, name, |slot| {
        let now = context.state.clock.now();
        let key = admin::push(slot, context.target, now, name, &version)?;
        Ok(Reply::ok(version.bundle(context.target, &key.name)))
    })
}
