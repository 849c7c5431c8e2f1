//! Keys as files, so that a restarted emulator serves the same keys; also the format of backups.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Key, KeyVersion};
use crate::{
    attributes::Attributes,
    base64url,
    certificate::Certificate,
    files::{create_private_folder, named, sync_folder, write_private},
    keys::{KeyMaterial, KeySpec},
};

/// Stands for the default vault, whose name is empty.
const DEFAULT_VAULT: &str = "default";

#[derive(Serialize, Deserialize)]
struct StoredKey {
    vault: String,
    name: String,
    versions: Vec<StoredVersion>,
    rotation_policy: Option<Value>,
    deleted: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct StoredVersion {
    version: String,
    key_type: String,
    spec: KeySpec,
    secret: String,
    operations: Vec<String>,
    attributes: Attributes,
    tags: Map<String, Value>,
    #[serde(default)]
    leading_zeros: bool,
    #[serde(default)]
    release_policy: Option<Value>,
    #[serde(default)]
    certificate: Option<Certificate>,
}

/// Serializes a key with its private parts.
pub(crate) fn to_json(vault: &str, key: &Key) -> Value {
    let versions = key.versions.iter().map(|version| StoredVersion {
        version: version.version.clone(),
        key_type: version.key_type.clone(),
        spec: version.material.spec(),
        secret: base64url::encode(version.material.secret()),
        operations: version.operations.clone(),
        attributes: version.attributes.clone(),
        tags: version.tags.clone(),
        leading_zeros: version.leading_zeros,
        release_policy: version.release_policy.clone(),
        certificate: version.certificate.as_deref().cloned(),
    });
    let stored = StoredKey {
        vault: vault.to_owned(),
        name: key.name.clone(),
        versions: versions.collect(),
        rotation_policy: key.rotation_policy.clone(),
        deleted: key.deleted,
    };
    serde_json::to_value(stored).unwrap_or_default()
}

/// Parses a key and its vault, or returns the mistake.
pub(crate) fn from_json(value: Value) -> Result<(String, Key), String> {
    let stored: StoredKey = serde_json::from_value(value).map_err(|error| error.to_string())?;
    let versions = stored.versions.into_iter().map(|version| {
        let damaged = || format!("the private key of version {} cannot be read", version.version);
        let secret = base64url::decode(&version.secret).ok_or_else(damaged)?;
        let secret = zeroize::Zeroizing::new(secret);
        let material = KeyMaterial::from_secret(version.spec, &secret).ok_or_else(damaged)?;
        Ok(Arc::new(KeyVersion {
            version: version.version,
            key_type: version.key_type,
            material,
            operations: version.operations,
            attributes: version.attributes,
            tags: version.tags,
            leading_zeros: version.leading_zeros,
            release_policy: version.release_policy,
            certificate: version.certificate.map(Arc::new),
        }))
    });
    let versions = versions.collect::<Result<Vec<_>, String>>()?;
    if versions.is_empty() {
        return Err("it has no versions".to_owned());
    }
    let key = Key {
        name: stored.name,
        versions,
        rotation_policy: stored.rotation_policy,
        deleted: stored.deleted,
    };
    Ok((stored.vault, key))
}

/// Loads every key below `directory`, which is created if missing.
pub(crate) fn load(directory: &Path) -> io::Result<Vec<(String, Key)>> {
    create_private_folder(&directory.join("keys"))?;
    let mut keys = Vec::new();
    for vault in fs::read_dir(directory.join("keys"))? {
        for file in fs::read_dir(vault?.path())? {
            let path = file?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            keys.push(load_key(&path)?);
        }
    }
    Ok(keys)
}

fn load_key(path: &Path) -> io::Result<(String, Key)> {
    let contents = fs::read(path).map_err(|error| named(path, &error))?;
    let parsed = serde_json::from_slice(&contents).map_err(|error| error.to_string());
    let (vault, key) = parsed.and_then(from_json).map_err(|reason| damaged(path, &reason))?;
    // A file that was copied or renamed by hand would replace another key, or reappear as one.
    if *path != file(path.ancestors().nth(3).unwrap_or(path), &vault, &key.name) {
        return Err(damaged(path, &format!("it contains the key {} of another file", key.name)));
    }
    Ok((vault, key))
}

/// The file of a key; look-ups ignore the case of names.
fn file(directory: &Path, vault: &str, name: &str) -> PathBuf {
    let vault = if vault.is_empty() { DEFAULT_VAULT } else { vault };
    directory.join("keys").join(vault).join(format!("{}.json", name.to_ascii_lowercase()))
}

/// Writes one key, or removes its file if there is no key.
pub(crate) fn save(directory: &Path, vault: &str, id: &str, key: Option<&Key>) -> io::Result<()> {
    let path = file(directory, vault, id);
    let folder = path.parent().unwrap_or(directory);
    let Some(key) = key else {
        return match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => sync_folder(folder),
        };
    };
    create_private_folder(folder)?;
    write_private(&path, to_json(vault, key).to_string().as_bytes())
}

pub(crate) fn damaged(path: &Path, reason: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!(
            "{} is damaged: {reason}. Restore the file from a backup, or remove it to continue \
             without its content.",
            path.display()
        ),
    )
}
