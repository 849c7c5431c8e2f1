//! Release policies: the attested environments to which a key may be released.

use serde_json::{Value, json};

use crate::{error::ApiError, persona::Persona, reply::Reply, routes::Context, store::KeyVersion};

/// The policy of a new key, with the members that the service adds.
pub(super) fn requested(
    wanted: Option<&Value>,
    exportable: bool,
) -> Result<Option<Value>, ApiError> {
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_null()) else { return Ok(None) };
    if !exportable {
        return Err(ApiError::release_policy_not_exportable());
    }
    let data = wanted["data"].as_str().ok_or_else(|| ApiError::invalid_value("release_policy"))?;
    let content_type = wanted["contentType"].as_str().unwrap_or("application/json; charset=utf-8");
    let mut policy = json!({ "contentType": content_type, "data": data });
    if let Some(immutable) = wanted["immutable"].as_bool() {
        policy["immutable"] = immutable.into();
    }
    Ok(Some(policy))
}

/// Changes the policy, unless it is immutable.
pub(super) fn update(
    version: &mut KeyVersion,
    persona: Persona,
    wanted: Option<&Value>,
) -> Result<(), ApiError> {
    let Some(policy) = requested(wanted, version.attributes.exportable)? else { return Ok(()) };
    if version.release_policy.as_ref().is_some_and(|known| known["immutable"] == true) {
        return Err(ApiError::release_policy_immutable(persona));
    }
    version.release_policy = Some(policy);
    Ok(())
}

/// Refuses every release, since the emulator trusts no attestation.
pub(super) fn release(context: &Context<'_>) -> Result<Reply, ApiError> {
    let call = context.call;
    let store = &context.state.store;
    store
        .version(&context.target.vault, &call.name, call.version.as_deref())
        .ok_or_else(|| context.not_found())?;
    Err(ApiError::not_attested())
}
