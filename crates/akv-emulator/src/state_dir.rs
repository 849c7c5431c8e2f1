//! Keys as files, so that a restarted emulator serves the same ones; also the form of a backup.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    attributes::Attributes,
    base64url,
    certificate::Certificate,
    keys::{KeyMaterial, KeySpec},
    store::{Key, KeyVersion},
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

/// Reads a key and the vault it belongs to.
pub(crate) fn from_json(value: Value) -> Option<(String, Key)> {
    let stored: StoredKey = serde_json::from_value(value).ok()?;
    let versions = stored.versions.into_iter().map(|version| {
        let secret = zeroize::Zeroizing::new(base64url::decode(&version.secret)?);
        Some(Arc::new(KeyVersion {
            version: version.version,
            key_type: version.key_type,
            material: KeyMaterial::from_secret(version.spec, &secret)?,
            operations: version.operations,
            attributes: version.attributes,
            tags: version.tags,
            leading_zeros: version.leading_zeros,
            certificate: version.certificate.map(Arc::new),
        }))
    });
    let versions = versions.collect::<Option<Vec<_>>>().filter(|versions| !versions.is_empty())?;
    let key = Key {
        name: stored.name,
        versions,
        rotation_policy: stored.rotation_policy,
        deleted: stored.deleted,
    };
    Some((stored.vault, key))
}

/// Every key below `directory`, which is created if it is missing.
pub(crate) fn load(directory: &Path) -> io::Result<Vec<(String, Key)>> {
    fs::create_dir_all(directory.join("keys"))?;
    let mut keys = Vec::new();
    for vault in fs::read_dir(directory.join("keys"))? {
        for file in fs::read_dir(vault?.path())? {
            let path = file?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let key = serde_json::from_slice(&fs::read(&path)?).ok().and_then(from_json);
            keys.push(key.ok_or_else(|| invalid(&path))?);
        }
    }
    Ok(keys)
}

/// Writes one key, or removes its file when there is none.
pub(crate) fn save(directory: &Path, vault: &str, id: &str, key: Option<&Key>) -> io::Result<()> {
    let vault_name = if vault.is_empty() { DEFAULT_VAULT } else { vault };
    let folder = directory.join("keys").join(vault_name);
    let path = folder.join(format!("{id}.json"));
    let Some(key) = key else {
        return match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    };
    fs::create_dir_all(&folder)?;
    write_private(&path, to_json(vault, key).to_string().as_bytes())
}

/// Replaces a file as a whole; only the owner can read it.
pub(crate) fn write_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut temporary = PathBuf::from(path);
    temporary.set_extension("new");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(contents)?;
    file.sync_all()?;
    fs::rename(temporary, path)
}

fn invalid(path: &Path) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("{} is not a key of the emulator", path.display()),
    )
}
