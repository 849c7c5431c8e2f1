//! Key references: the strings that name a key in a vault.

mod cloud;
mod fields;
mod names;
mod parse;
#[cfg(test)]
mod tests;

pub use cloud::{Cloud, VaultKind};

pub(crate) use parse::TrustedHosts;

use std::{
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Result;

/// The name of a key in a vault, or of a vault if there is no key name.
///
/// All forms consist of type, vault name, key name and optionally a version.
///
/// | form | example |
/// |---|---|
/// | five sections | `engine:e_akv:managedHsm:myHsm:myKey` |
/// | three sections | `vault:myVault:myKey`, `managedHsm:myHsm:myKey` |
/// | with version | `vault:myVault:myKey:0123456789abcdef0123456789abcdef`, `vault:myVault:myKey?version=…` |
/// | key = value | `akv:type=managedhsm,vault=myHsm,name=myKey,version=…` |
/// | URL | `https://myVault.vault.azure.net/keys/myKey`, also after `akv:` |
///
/// A reference is printed and serialized as it was written. Comparison and hash ignore the form and
/// the case of names, as the service does.
///
/// [`str::parse`] and [`Deserialize`] accept URLs under the host names of the public cloud only;
/// [`Client::reference`](crate::Client::reference) accepts those of the configured cloud and
/// suffixes. The other forms name no host and refer to the configured cloud.
///
/// ```
/// use akv_core::{KeyReference, VaultKind};
///
/// let reference: KeyReference = "engine:e_akv:managedHsm:myHsm:myKey".parse()?;
/// assert_eq!((reference.kind(), reference.vault_name()), (VaultKind::ManagedHsm, "myHsm"));
/// assert_eq!(reference.key_name(), Some("myKey"));
/// assert_eq!(reference.version(), None);
/// assert_eq!(reference, "https://myHSM.managedhsm.azure.net/keys/myKey".parse()?);
/// # Ok::<(), akv_core::Error>(())
/// ```
///
/// ```
/// use akv_core::KeyReference;
///
/// #[derive(serde::Deserialize)]
/// struct Site {
///     key: KeyReference,
/// }
/// let site: Site = serde_json::from_str(r#"{"key": "vault:myVault:web"}"#)?;
/// assert_eq!(site.key.key_name(), Some("web"));
/// let error = serde_json::from_str::<Site>(r#"{"key": "web"}"#).err().expect("it names no vault");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct KeyReference {
    text: String,
    kind: VaultKind,
    vault: String,
    key: Option<String>,
    version: Option<String>,
    /// Set if the reference is a URL under a suffix that the administrator added.
    suffix: Option<String>,
}

impl KeyReference {
    /// Parses a reference under the given trusted host suffixes.
    pub(crate) fn parse(text: &str, hosts: &TrustedHosts) -> Result<Self> {
        parse::parse(text, hosts)
    }

    /// Whether the key is in a vault or in a Managed HSM.
    pub fn kind(&self) -> VaultKind {
        self.kind
    }

    /// The name of the vault or HSM, as written.
    pub fn vault_name(&self) -> &str {
        &self.vault
    }

    /// The name of the key; `None` if the reference names a vault.
    pub fn key_name(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The version, 32 lower-case hexadecimal digits, if the reference names one.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The vault that this key is in, in its canonical form: a reference without a key name.
    ///
    /// ```
    /// # use akv_core::KeyReference;
    /// let key: KeyReference = "vault:myVault:myKey".parse()?;
    /// assert_eq!(key.vault().to_string(), "vault:myVault:");
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    #[must_use]
    pub fn vault(&self) -> Self {
        let mut vault = Self { key: None, version: None, ..self.clone() };
        vault.text = vault.canonical();
        vault
    }

    /// Another key in the same vault, without a version, in its canonical form.
    ///
    /// ```
    /// # use akv_core::KeyReference;
    /// let vault: KeyReference = "vault:myVault:".parse()?;
    /// assert_eq!(vault.with_key("myKey")?, "vault:myVault:myKey".parse()?);
    /// assert!(vault.with_key("../secrets/x").is_err());
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// The name breaks the service's rule: 1 to 127 letters, digits and hyphens.
    pub fn with_key(&self, name: &str) -> Result<Self> {
        names::check_key(name).map_err(|why| fields::refused_name(name, &why))?;
        let mut key = Self { key: Some(name.to_owned()), version: None, ..self.clone() };
        key.text = key.canonical();
        Ok(key)
    }

    /// The same key without a version, in its canonical form.
    pub(crate) fn without_version(&self) -> Self {
        let mut key = Self { version: None, ..self.clone() };
        key.text = key.canonical();
        key
    }

    /// The same key at one version, in its canonical form.
    pub(crate) fn pinned(&self, version: &str) -> Self {
        let mut pinned = Self { version: Some(version.to_ascii_lowercase()), ..self.clone() };
        pinned.text = pinned.canonical();
        pinned
    }

    /// The host name of the vault in lower case, given the suffix of the configured cloud.
    pub(crate) fn host(&self, cloud_suffix: &str) -> String {
        let suffix = self.suffix.as_deref().unwrap_or(cloud_suffix);
        format!("{}.{suffix}", self.vault).to_ascii_lowercase()
    }

    /// The suffix of a private cloud, if the reference is a URL under one.
    pub(crate) fn private_suffix(&self) -> Option<&str> {
        self.suffix.as_deref()
    }

    fn canonical(&self) -> String {
        let key = self.key.as_deref().unwrap_or_default();
        match (&self.suffix, &self.version) {
            (None, None) => format!("{}:{}:{key}", self.kind, self.vault),
            (None, Some(version)) => format!("{}:{}:{key}:{version}", self.kind, self.vault),
            (Some(suffix), None) => format!("akv:https://{}.{suffix}/keys/{key}", self.vault),
            (Some(suffix), Some(version)) => {
                format!("akv:https://{}.{suffix}/keys/{key}/{version}", self.vault)
            }
        }
    }
}

impl fmt::Display for KeyReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for KeyReference {
    type Err = crate::Error;

    /// Parses a reference under the public cloud's host names. Use [`Client::reference`] if the
    /// settings may name another cloud.
    ///
    /// [`Client::reference`]: crate::Client::reference
    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text, &TrustedHosts::default())
    }
}

impl PartialEq for KeyReference {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.vault.eq_ignore_ascii_case(&other.vault)
            && self.key.as_ref().map(|key| key.to_ascii_lowercase())
                == other.key.as_ref().map(|key| key.to_ascii_lowercase())
            && self.version == other.version
            && self.suffix == other.suffix
    }
}

impl Eq for KeyReference {}

impl Hash for KeyReference {
    /// Consistent with `Eq`: ignores the case of names.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
        self.vault.to_ascii_lowercase().hash(state);
        self.key.as_ref().map(|key| key.to_ascii_lowercase()).hash(state);
        self.version.hash(state);
        self.suffix.hash(state);
    }
}

impl Serialize for KeyReference {
    /// The text, as it was written.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for KeyReference {
    /// Parses a reference under the public cloud's host names, as [`FromStr`] does.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
