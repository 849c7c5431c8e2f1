//! Creating, importing, reading, listing and deleting certificates.

mod bundle;
mod deleted;

use std::sync::Arc;

use serde_json::Value;

use super::{Context, keys};
use crate::{
    attributes::Attributes,
    certificate::{Imported, Template},
    error::ApiError,
    operation::Operation,
    reply::Reply,
    request::blocking,
    routes::paging,
    store::{Key, KeyVersion},
};

pub(super) async fn run(context: &Context<'_>) -> Result<Reply, ApiError> {
    match context.call.operation {
        Operation::CreateCertificate => create(context).await,
        Operation::ImportCertificate => import(context).await,
        Operation::DeleteCertificate => deleted::delete(context),
        Operation::GetDeletedCertificate => deleted::read(context),
        Operation::ListDeletedCertificates => deleted::list(context),
        Operation::RecoverDeletedCertificate => deleted::recover(context),
        Operation::PurgeDeletedCertificate => deleted::purge(context),
        Operation::ListCertificates => list(context),
        Operation::ListCertificateVersions => list_versions(context),
        Operation::GetCertificatePolicy => {
            read(context, |version, name| version.policy(context.target, name))
        }
        Operation::GetCertificateOperation => read(context, |version, name| {
            version.certificate.as_ref()?.operation(context.target, name, true)
        }),
        _ => read(context, |version, name| version.certificate_bundle(context.target, name)),
    }
}

fn not_found(context: &Context<'_>) -> ApiError {
    ApiError::certificate_not_found(&context.call.id())
}

/// The result of `part` for the requested version.
fn read(
    context: &Context<'_>,
    part: impl Fn(&KeyVersion, &str) -> Option<Value>,
) -> Result<Reply, ApiError> {
    let call = context.call;
    let store = &context.state.store;
    let found = store.version(&context.target.vault, &call.name, call.version.as_deref());
    let answer = found.and_then(|(name, version)| part(&version, &name));
    answer.map(Reply::ok).ok_or_else(|| not_found(context))
}

/// The service creates certificates in the background. Here they are created before the response
/// says that they are in progress.
async fn create(context: &Context<'_>) -> Result<Reply, ApiError> {
    let policy = &context.body["policy"];
    if !policy["issuer"]["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case("self")) {
        return Err(ApiError::not_supported("The emulator supports only the issuer Self."));
    }
    keys::refuse_deleted(context)?;
    let key = &policy["key_props"];
    let key_type = key["kty"].as_str().unwrap_or("RSA");
    let spec = keys::requested_spec(key_type, key)?;
    let template = Template::from_policy(policy, context.state.clock.now())?;
    let (not_before, expires) = (template.not_before, template.expires());
    let (material, certificate) = blocking(move || {
        let material = spec.generate()?;
        let certificate = template.sign(&material)?;
        Ok((material, certificate))
    })
    .await?;
    let name = &context.call.name;
    let operation = certificate.operation(context.target, name, false).unwrap_or_default();
    let mut version = keys::requested(context, key_type_name(context, key_type)?, &context.body)?;
    limit(&mut version.attributes, not_before, expires);
    let mut version = version.with(material);
    version.certificate = Some(Arc::new(certificate));
    keys::add_version(context, version)?;
    let api = context.query.get("api-version").map_or("", String::as_str);
    let id = operation["id"].as_str().unwrap_or_default();
    let request = operation["request_id"].as_str().unwrap_or_default();
    let location = format!("{id}?api-version={api}&request_id={request}");
    Ok(Reply::accepted(operation, location))
}

async fn import(context: &Context<'_>) -> Result<Reply, ApiError> {
    keys::refuse_deleted(context)?;
    let body = context.body.clone();
    let imported = blocking(move || Imported::read(&body)).await?;
    let kind = imported.material.certificate_key();
    let kind = key_type_name(context, kind["kty"].as_str().unwrap_or_default())?;
    let mut version = keys::requested(context, kind, &context.body)?;
    limit(&mut version.attributes, imported.not_before, imported.expires);
    let mut version = version.with(imported.material);
    version.certificate = Some(Arc::new(imported.certificate));
    let bundle = version.certificate_bundle(context.target, &context.call.name);
    keys::add_version(context, version)?;
    bundle.map(Reply::ok).ok_or_else(|| not_found(context))
}

fn key_type_name(context: &Context<'_>, name: &str) -> Result<&'static str, ApiError> {
    context.persona().key_type(name).ok_or_else(|| ApiError::invalid_value("kty"))
}

/// Limits a key's validity to that of its certificate.
fn limit(attributes: &mut Attributes, not_before: i64, expires: i64) {
    (attributes.nbf, attributes.exp) = (Some(not_before), Some(expires));
}

fn list(context: &Context<'_>) -> Result<Reply, ApiError> {
    let keys = context.state.store.keys(&context.target.vault, |key| key.deleted.is_none());
    let entry = |key: &Key| {
        let item = key.version(None)?.certificate_item(context.target, &key.name)?;
        Some((key.name.to_ascii_lowercase(), item))
    };
    paging::page(context, "/certificates", keys.iter().filter_map(entry).collect()).map(Reply::ok)
}

fn list_versions(context: &Context<'_>) -> Result<Reply, ApiError> {
    let key = keys::live(context).map_err(|_| not_found(context))?;
    let entry = |version: &Arc<KeyVersion>| {
        let id = format!("{}/{}", key.name, version.version);
        Some((version.version.clone(), version.certificate_item(context.target, &id)?))
    };
    let mut items: Vec<_> = key.versions.iter().filter_map(entry).collect();
    items.sort_by(|a, b| a.0.cmp(&b.0));
    let path = format!("/certificates/{}/versions", key.name);
    paging::page(context, &path, items).map(Reply::ok)
}
