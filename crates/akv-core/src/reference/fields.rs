//! The sections of a reference of any form, before they are checked.

use super::{
    KeyReference,
    names::{self, Reason},
};
use crate::{Error, ErrorKind, Result, VaultKind, error, outside};

/// The raw sections of a reference.
pub(super) struct Fields<'a> {
    pub(super) kind: VaultKind,
    pub(super) vault: &'a str,
    pub(super) key: &'a str,
    pub(super) version: Option<&'a str>,
    pub(super) suffix: Option<String>,
}

impl Fields<'_> {
    /// Checks every section of the reference `text` against the service's rules.
    pub(super) fn check(self, text: &str) -> Result<KeyReference, Reason> {
        let refuse = |section: &str, value: &str, reason: Reason| {
            format!("the {section} {}: {reason}", quoted(value))
        };
        let vault_section = match self.kind {
            VaultKind::Vault => "vault name",
            VaultKind::ManagedHsm => "HSM name",
        };
        names::check_vault(self.vault).map_err(|why| refuse(vault_section, self.vault, why))?;
        let key = match self.key {
            "" => None,
            key => {
                names::check_key(key).map_err(|why| refuse("key name", key, why))?;
                Some(key.to_owned())
            }
        };
        if let Some(version) = self.version {
            if key.is_none() {
                return Err("it has a version but no key name".to_owned());
            }
            names::check_version(version).map_err(|why| refuse("key version", version, why))?;
        }
        Ok(KeyReference {
            text: text.to_owned(),
            kind: self.kind,
            vault: self.vault.to_owned(),
            key,
            version: self.version.map(str::to_ascii_lowercase),
            suffix: self.suffix,
        })
    }
}

/// The error for a refused reference.
pub(super) fn refused(text: &str, reason: &str) -> Error {
    Error::new(ErrorKind::Reference, format!("invalid key reference {}: {reason}", quoted(text)))
        .hint("expected vault:NAME:KEY or managedHsm:NAME:KEY, optionally with :VERSION")
}

/// The error for a refused key name.
pub(super) fn refused_name(name: &str, reason: &str) -> Error {
    Error::new(ErrorKind::Reference, format!("invalid key name {}: {reason}", quoted(name)))
}

/// Untrusted text, shortened and without control characters, in quotes.
pub(super) fn quoted(text: &str) -> String {
    let text = outside::without_users(text);
    let cut = error::shortened(&text, 120);
    let dots = if cut.len() < text.len() { "…" } else { "" };
    format!("{cut:?}{dots}")
}
