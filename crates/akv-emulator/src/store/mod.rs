//! The vaults' contents. Locks are held only for look-ups, never during cryptography.

mod state_dir;

pub(crate) use self::state_dir::{damaged, from_json, to_json};

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, RwLock},
};

use serde_json::{Map, Value, json};

use crate::{
    attributes::Attributes,
    certificate::Certificate,
    error::ApiError,
    keys::KeyMaterial,
    persona::Target,
    recovery::Recovery,
    rotation,
    sync::{read, write},
};

/// A version for a new key: 32 hexadecimal digits.
pub(crate) fn new_version() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// One version of a key; replaced as a whole when its attributes change.
#[derive(Clone)]
pub(crate) struct KeyVersion {
    pub(crate) version: String,
    /// `kty` as the service reports it.
    pub(crate) key_type: String,
    pub(crate) material: KeyMaterial,
    pub(crate) operations: Vec<String>,
    pub(crate) attributes: Attributes,
    pub(crate) tags: Map<String, Value>,
    /// Whether `n` and `e` are written with a leading zero byte.
    pub(crate) leading_zeros: bool,
    /// `release_policy` as requested: the environments to which the key may be released.
    pub(crate) release_policy: Option<Value>,
    /// The certificate of this version, which makes it a managed key.
    pub(crate) certificate: Option<Arc<Certificate>>,
}

/// A key with all its versions, oldest first; the last one is current.
#[derive(Clone)]
pub(crate) struct Key {
    /// As written when it was created; look-ups ignore case.
    pub(crate) name: String,
    pub(crate) versions: Vec<Arc<KeyVersion>>,
    pub(crate) rotation_policy: Option<Value>,
    /// When it was deleted, in seconds since the Unix epoch.
    pub(crate) deleted: Option<i64>,
}

impl Key {
    /// A key with its first version.
    pub(crate) fn new(name: &str, version: Arc<KeyVersion>) -> Self {
        Self {
            name: name.to_owned(),
            versions: vec![version],
            rotation_policy: None,
            deleted: None,
        }
    }

    /// Returns an error if the name is taken by a deleted key or its certificate.
    pub(crate) fn refuse_deleted(&self, target: &Target, now: i64) -> Result<(), ApiError> {
        let object = if self.is_managed() { "Certificate" } else { "Key" };
        match self.deleted {
            None => Ok(()),
            Some(deleted) if target.recovery.is_deleting(deleted, now) => {
                Err(ApiError::name_being_deleted(object, &self.name))
            }
            Some(_) => Err(ApiError::deleted_but_recoverable(object, &self.name)),
        }
    }

    /// Whether it belongs to a certificate and changes only with it.
    pub(crate) fn is_managed(&self) -> bool {
        self.versions.last().is_some_and(|version| version.certificate.is_some())
    }

    /// The requested version, or the current one.
    pub(crate) fn version(&self, version: Option<&str>) -> Option<&Arc<KeyVersion>> {
        match version {
            Some(version) => self.versions.iter().find(|known| known.version == version),
            None => self.versions.last(),
        }
    }
}

impl KeyVersion {
    /// The service's bundle: `{"key", "attributes", "tags"}`.
    pub(crate) fn bundle(&self, target: &Target, name: &str) -> Value {
        let mut jwk = Map::new();
        jwk.insert("kid".into(), self.url(target, name).into());
        jwk.insert("kty".into(), self.key_type.clone().into());
        jwk.insert("key_ops".into(), self.operations.clone().into());
        self.material.write_public(&mut jwk, self.leading_zeros);
        let mut bundle =
            json!({ "key": jwk, "attributes": self.attributes.to_json(&target.recovery) });
        if !self.tags.is_empty() {
            bundle["tags"] = Value::Object(self.tags.clone());
        }
        if let Some(policy) = &self.release_policy {
            bundle["release_policy"] = policy.clone();
        }
        self.add_managed(&mut bundle);
        bundle
    }

    /// An entry of a list; `id` is the path below `/keys/`.
    pub(crate) fn item(&self, target: &Target, id: &str) -> Value {
        let mut item = json!({
            "kid": format!("{}/keys/{id}", target.base),
            "attributes": self.attributes.to_json(&target.recovery),
        });
        if !self.tags.is_empty() {
            item["tags"] = Value::Object(self.tags.clone());
        }
        self.add_managed(&mut item);
        item
    }

    fn add_managed(&self, object: &mut Value) {
        if self.certificate.is_some() {
            object["managed"] = true.into();
        }
    }

    pub(crate) fn url(&self, target: &Target, name: &str) -> String {
        format!("{}/keys/{name}/{}", target.base, self.version)
    }
}

/// Adds the members of a deleted key or certificate; `collection` is the one that it is now in.
pub(crate) fn add_deletion(
    bundle: &mut Value,
    target: &Target,
    collection: &str,
    name: &str,
    deleted: i64,
) {
    bundle["recoveryId"] = format!("{}/{collection}/{name}", target.base).into();
    bundle["deletedDate"] = deleted.into();
    bundle["scheduledPurgeDate"] = target.recovery.purge_date(deleted).into();
}

/// Keys by lower-case name.
type Keys = BTreeMap<String, Key>;

/// All vaults by host name; the empty name is the default vault.
#[derive(Default)]
pub(crate) struct Store {
    vaults: RwLock<HashMap<String, Keys>>,
    /// The folder to which every change is written, if there is one.
    directory: Option<PathBuf>,
}

impl Store {
    /// Loads the state of an earlier run from `directory`.
    pub(crate) fn open(directory: PathBuf) -> std::io::Result<Self> {
        let mut vaults: HashMap<String, Keys> = HashMap::new();
        for (vault, key) in state_dir::load(&directory)? {
            vaults.entry(vault).or_default().insert(key.name.to_ascii_lowercase(), key);
        }
        Ok(Self { vaults: RwLock::new(vaults), directory: Some(directory) })
    }

    /// A copy of the key; its versions are shared. Deleted keys are included.
    pub(crate) fn key(&self, vault: &str, name: &str) -> Option<Key> {
        read(&self.vaults).get(vault)?.get(&name.to_ascii_lowercase()).cloned()
    }

    /// The requested version of a key that is not deleted, with the key's name as created.
    pub(crate) fn version(
        &self,
        vault: &str,
        name: &str,
        version: Option<&str>,
    ) -> Option<(String, Arc<KeyVersion>)> {
        let vaults = read(&self.vaults);
        let keys = vaults.get(vault)?;
        // Names are usually in lower case, which avoids a copy.
        let key = keys.get(name).or_else(|| keys.get(&name.to_ascii_lowercase()))?;
        if key.deleted.is_some() {
            return None;
        }
        Some((key.name.clone(), Arc::clone(key.version(version)?)))
    }

    /// Copies of the keys that match `filter`, by name.
    pub(crate) fn keys(&self, vault: &str, filter: impl Fn(&Key) -> bool) -> Vec<Key> {
        let vaults = read(&self.vaults);
        vaults
            .get(vault)
            .map(|keys| keys.values().filter(|key| filter(key)).cloned().collect())
            .unwrap_or_default()
    }

    /// When a key is due for rotation by its policy, in seconds since the Unix epoch.
    pub(crate) fn rotation_due(&self, vault: &str, name: &str) -> Option<i64> {
        let vaults = read(&self.vaults);
        let keys = vaults.get(vault)?;
        let key = keys.get(name).or_else(|| keys.get(&name.to_ascii_lowercase()))?;
        let policy = key.rotation_policy.as_ref().filter(|_| key.deleted.is_none())?;
        rotation::due(policy, &key.versions.last()?.attributes)
    }

    /// Purges the deleted keys of a vault that are due.
    pub(crate) fn purge_due(
        &self,
        vault: &str,
        recovery: &Recovery,
        now: i64,
    ) -> Result<(), ApiError> {
        let due =
            |key: &Key| key.deleted.is_some_and(|deleted| recovery.purge_date(deleted) <= now);
        for name in self.keys(vault, due).into_iter().map(|key| key.name) {
            self.change(vault, &name, |slot| {
                slot.take_if(|key| due(key));
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Changes, inserts (if there was none) or removes (by leaving `None`) one key, and writes the
    /// result to the state folder. An error leaves the key unchanged.
    pub(crate) fn change<T>(
        &self,
        vault: &str,
        name: &str,
        change: impl FnOnce(&mut Option<Key>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let mut vaults = write(&self.vaults);
        let keys = vaults.entry(vault.to_owned()).or_default();
        let id = name.to_ascii_lowercase();
        let mut key = keys.get(&id).cloned();
        let result = change(&mut key)?;
        if let Some(directory) = &self.directory
            && let Err(error) = state_dir::save(directory, vault, &id, key.as_ref())
        {
            tracing::error!(%error, vault, key = id, "the state folder could not be written");
            return Err(ApiError::not_stored(&error));
        }
        match key {
            Some(key) => keys.insert(id, key),
            None => keys.remove(&id),
        };
        Ok(result)
    }
}
