//! Creating and rotating keys without a request, for the library and the control interface.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    attributes::Attributes,
    error::ApiError,
    keys::{KeyMaterial, KeySpec},
    new_key::{KeyId, NewKey},
    operation::is_valid_name,
    persona::{Persona, Target},
    rotation,
    routes::new_version,
    state::State,
    store::{Key, KeyVersion},
};

/// Makes the key, or a new version of it where there is one.
pub(crate) fn create(state: &State, target: &Target, new: NewKey) -> Result<KeyId, ApiError> {
    if !is_valid_name(&new.name) {
        return Err(ApiError::bad_name(target.persona, &new.name));
    }
    let asked = match (new.spec, new.hsm || target.persona == Persona::ManagedHsm) {
        (KeySpec::Rsa(_), false) => "RSA",
        (KeySpec::Rsa(_), true) => "RSA-HSM",
        (KeySpec::Ec(_), false) => "EC",
        (KeySpec::Ec(_), true) => "EC-HSM",
        (KeySpec::Oct(_), _) => "oct-HSM",
    };
    let key_type = target.persona.key_type(asked).ok_or_else(|| ApiError::invalid_value(""))?;
    let defaults = || {
        let names = target.persona.default_operations(key_type);
        names.iter().map(|name| (*name).to_owned()).collect()
    };
    let now = state.clock.now();
    let version = KeyVersion {
        version: new_version(),
        key_type: key_type.to_owned(),
        material: match &new.pkcs8 {
            Some(der) => KeyMaterial::from_secret(new.spec, der)
                .filter(|material| material.spec() == new.spec)
                .ok_or_else(|| ApiError::bad_parameter("The private key cannot be read."))?,
            None => new.spec.generate()?,
        },
        operations: new.operations.unwrap_or_else(defaults),
        attributes: Attributes {
            enabled: new.enabled,
            nbf: new.not_before,
            exp: new.expires,
            ..Attributes::new(now)
        },
        tags: new.tags.into_iter().map(|(name, tag)| (name, Value::from(tag))).collect(),
        leading_zeros: new.leading_zeros,
    };
    add(state, target, &new.name, version, true)
}

/// Makes a version like the current one with a new key.
pub(crate) fn rotate(state: &State, target: &Target, name: &str) -> Result<KeyId, ApiError> {
    let missing = || ApiError::key_not_found(target.persona, &target.base, name);
    let key = state.store.key(&target.vault, name).filter(|key| key.deleted.is_none());
    let key = key.ok_or_else(missing)?;
    let version = rotated(&key, state.clock.now()).ok_or_else(missing)??;
    add(state, target, name, version, false)
}

/// The next version of a key, which expires as its rotation policy says.
fn rotated(key: &Key, now: i64) -> Option<Result<KeyVersion, ApiError>> {
    let current = key.version(None)?;
    let version = current.material.spec().generate().map(|material| KeyVersion {
        version: new_version(),
        material,
        attributes: Attributes {
            exp: key.rotation_policy.as_ref().and_then(|policy| rotation::expiry(policy, now)),
            exportable: current.attributes.exportable,
            ..Attributes::new(now)
        },
        ..(**current).clone()
    });
    Some(version)
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
        let key = slot.get_or_insert_with(|| Key {
            name: name.to_owned(),
            versions: Vec::new(),
            rotation_policy: None,
            deleted: None,
        });
        if key.deleted.is_some() {
            return Err(ApiError::deleted_but_recoverable(name));
        }
        key.versions.push(Arc::clone(&version));
        Ok(KeyId {
            name: key.name.clone(),
            version: version.version.clone(),
            url: version.url(target, &key.name),
        })
    })
}
