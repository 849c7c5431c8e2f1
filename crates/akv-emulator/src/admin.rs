//! Creating and rotating keys without a request, for the library and the control interface.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    attributes::Attributes,
    call::is_valid_name,
    certificate::Template,
    error::ApiError,
    keys::{KeyId, KeyMaterial, KeySpec, NewKey},
    persona::{Persona, Target},
    rotation,
    state::State,
    store::{Key, KeyVersion, new_version},
};

/// Creates the key, or a new version if it exists.
pub(crate) fn create(state: &State, target: &Target, new: NewKey) -> Result<KeyId, ApiError> {
    let version = fresh(state, target, &new)?;
    add(state, target, &new.name, version, true)
}

/// The same, with a self-signed certificate.
pub(crate) fn create_certificate(
    state: &State,
    target: &Target,
    new: NewKey,
    subject: &str,
) -> Result<KeyId, ApiError> {
    if target.persona == Persona::ManagedHsm {
        return Err(ApiError::not_found());
    }
    let mut version = fresh(state, target, &new)?;
    let template = Template::new(subject, state.clock.now());
    version.certificate = Some(Arc::new(template.sign(&version.material)?));
    version.attributes.nbf = Some(template.not_before);
    version.attributes.exp = Some(template.expires());
    add(state, target, &new.name, version, true)
}

fn fresh(state: &State, target: &Target, new: &NewKey) -> Result<KeyVersion, ApiError> {
    if !is_valid_name(&new.name) {
        return Err(ApiError::bad_name(target.persona, &new.name));
    }
    let sound = match new.spec {
        KeySpec::Rsa(bits) => matches!(bits, 2048 | 3072 | 4096),
        KeySpec::Ec(_) => true,
        KeySpec::Oct(bits) => matches!(bits, 128 | 192 | 256),
    };
    if !sound {
        return Err(ApiError::invalid_value("key_size"));
    }
    let requested = match (new.spec, new.hsm || target.persona == Persona::ManagedHsm) {
        (KeySpec::Rsa(_), false) => "RSA",
        (KeySpec::Rsa(_), true) => "RSA-HSM",
        (KeySpec::Ec(_), false) => "EC",
        (KeySpec::Ec(_), true) => "EC-HSM",
        (KeySpec::Oct(_), _) => "oct-HSM",
    };
    let key_type = target.persona.key_type(requested).ok_or_else(|| ApiError::invalid_value(""))?;
    let defaults = || {
        let names = target.persona.default_operations(key_type);
        names.iter().map(|name| (*name).to_owned()).collect()
    };
    let now = state.clock.now();
    Ok(KeyVersion {
        version: new_version(),
        key_type: key_type.to_owned(),
        material: match &new.pkcs8 {
            Some(der) => KeyMaterial::from_secret(new.spec, der)
                .filter(|material| material.spec() == new.spec)
                .ok_or_else(|| ApiError::bad_parameter("The private key cannot be read."))?,
            None => new.spec.generate()?,
        },
        operations: new.operations.clone().unwrap_or_else(defaults),
        attributes: Attributes {
            enabled: new.enabled,
            nbf: new.not_before,
            exp: new.expires,
            ..Attributes::new(now)
        },
        tags: new
            .tags
            .iter()
            .map(|(name, tag)| (name.clone(), Value::from(tag.as_str())))
            .collect(),
        leading_zeros: new.leading_zeros,
        release_policy: None,
        certificate: None,
    })
}

/// Creates a version like the current one, with new key material.
pub(crate) fn rotate(state: &State, target: &Target, name: &str) -> Result<KeyId, ApiError> {
    let missing = || ApiError::key_not_found(target.persona, &target.base, name);
    let key = state.store.key(&target.vault, name).filter(|key| key.deleted.is_none());
    let key = key.ok_or_else(missing)?;
    let version = rotated(&key, state.clock.now()).ok_or_else(missing)??;
    add(state, target, name, version, false)
}

/// The next version of a key, with the expiry of its rotation policy.
fn rotated(key: &Key, now: i64) -> Option<Result<KeyVersion, ApiError>> {
    let current = key.version(None)?;
    let version = current.material.spec().generate().map(|material| KeyVersion {
        version: new_version(),
        material,
        certificate: None,
        attributes: Attributes {
            exp: key.rotation_policy.as_ref().and_then(|policy| rotation::expiry(policy, now)),
            exportable: current.attributes.exportable,
            ..Attributes::new(now)
        },
        ..(**current).clone()
    });
    Some(version)
}

/// Disables or enables the current version.
pub(crate) fn set_enabled(
    state: &State,
    target: &Target,
    name: &str,
    enabled: bool,
) -> Result<KeyId, ApiError> {
    state.store.change(&target.vault, name, |slot| {
        let key = slot.as_mut().filter(|key| key.deleted.is_none());
        let key = key.ok_or_else(|| ApiError::key_not_found(target.persona, &target.base, name))?;
        let name = key.name.clone();
        let current = key.versions.last_mut();
        let current =
            current.ok_or_else(|| ApiError::key_not_found(target.persona, &target.base, &name))?;
        let mut changed = (**current).clone();
        changed.attributes.enabled = enabled;
        changed.attributes.updated = state.clock.now();
        *current = Arc::new(changed);
        Ok(KeyId { version: current.version.clone(), url: current.url(target, &name), name })
    })
}

/// Adds a version to a key, or creates the key with it.
pub(crate) fn push<'a>(
    slot: &'a mut Option<Key>,
    target: &Target,
    now: i64,
    name: &str,
    version: &Arc<KeyVersion>,
) -> Result<&'a Key, ApiError> {
    match slot {
        Some(key) => {
            key.refuse_deleted(target, now)?;
            key.versions.push(Arc::clone(version));
            Ok(key)
        }
        None => Ok(slot.insert(Key::new(name, Arc::clone(version)))),
    }
}

fn add(
    state: &State,
    target: &Target,
    name: &str,
    version: KeyVersion,
    create: bool,
) -> Result<KeyId, ApiError> {
    let version = Arc::new(version);
    state.store.change(&target.vault, name, |slot| {
        if slot.is_none() && !create {
            return Err(ApiError::key_not_found(target.persona, &target.base, name));
        }
        let key = push(slot, target, state.clock.now(), name, &version)?;
        Ok(KeyId {
            name: key.name.clone(),
            version: version.version.clone(),
            url: version.url(target, &key.name),
        })
    })
}
