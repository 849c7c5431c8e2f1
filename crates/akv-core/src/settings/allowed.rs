//! `allowed-keys`: the only references that may be used.
//!
//! Every source restricts further: a reference is allowed if it is in each source's list. The check
//! is made where a reference becomes a [`Destination`](super::Destination), without which nothing
//! can be sent.

use super::builder::Value;
use crate::{
    Error, ErrorKind, KeyReference, Result, error::one_line, error::shortened,
    reference::TrustedHosts,
};

/// The setting's name in a configuration file.
pub(super) const NAME: &str = "allowed-keys";

/// Prefixes that some programs put before a reference and strip again.
const PREFIXES: [&str; 2] = ["store:", "pkcs11:"];

/// The value of `allowed-keys`: one list per source that sets it, none if no source does.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllowedKeys(Vec<List>);

/// The list of one source.
#[derive(Clone, Debug)]
struct List {
    /// The setting for messages: its name, and where it was set.
    spelling: String,
    entries: Vec<KeyReference>,
}

impl AllowedKeys {
    /// Reads the value of each source.
    ///
    /// # Errors
    /// A value is empty, or an entry names neither a key nor a vault.
    pub(super) fn read(values: &[Value], hosts: &TrustedHosts) -> Result<Self> {
        values.iter().map(|value| List::read(value, hosts)).collect::<Result<_>>().map(Self)
    }

    /// An equivalent single list: the references that all sources allow.
    pub(super) fn text(&self) -> String {
        let lists = self.0.iter().map(|list| list.entries.clone());
        let common = lists.reduce(|all, list| {
            let pairs = all.iter().flat_map(|one| list.iter().map(move |other| (one, other)));
            let narrower = |(one, other)| {
                covers(one, other).then_some(other).or_else(|| covers(other, one).then_some(one))
            };
            pairs.filter_map(narrower).cloned().collect()
        });
        let texts = common.unwrap_or_default().into_iter().map(|entry| entry.to_string());
        texts.collect::<Vec<_>>().join(",")
    }

    /// # Errors
    /// A source does not list the key or its vault.
    pub(super) fn check(&self, reference: &KeyReference) -> Result<()> {
        self.0.iter().try_for_each(|list| list.check(reference))
    }
}

impl List {
    fn read(value: &Value, hosts: &TrustedHosts) -> Result<Self> {
        let spelling = value.origin.spelling(NAME);
        let wrong = |reason: &str| {
            let shown = one_line(shortened(&value.text, 100));
            Error::new(
                ErrorKind::Settings,
                format!("invalid setting {spelling} = {shown:?}: {reason}"),
            )
        };
        if value.text.trim().is_empty() {
            return Err(wrong("it is set but allows nothing; list keys or vaults, or unset it"));
        }
        let entry = |text: &str| entry(text.trim(), hosts).map_err(|reason| wrong(&reason));
        let entries = value.text.split(',').map(entry).collect::<Result<_>>()?;
        Ok(Self { spelling: value.origin.named(NAME), entries })
    }

    fn check(&self, reference: &KeyReference) -> Result<()> {
        if self.entries.iter().any(|entry| covers(entry, reference)) {
            return Ok(());
        }
        let only_versions = self.entries.iter().any(|entry| covers(reference, entry));
        let text = format!("{reference} is not allowed by the setting {}", self.spelling);
        let error = Error::new(ErrorKind::NotAllowed, text);
        Err(match reference.key_name() {
            None => error.hint(format!(
                "listing keys needs the whole vault in {NAME}: {}",
                reference.vault()
            )),
            Some(_) if only_versions => {
                error.hint(format!("{NAME} lists single versions of this key; name one of them"))
            }
            Some(_) => error.hint(format!("add the key or its vault to {NAME}")),
        })
    }
}

/// Whether `entry` names `reference`, or its key or vault.
fn covers(entry: &KeyReference, reference: &KeyReference) -> bool {
    match (entry.key_name(), entry.version()) {
        (None, _) => *entry == reference.vault(),
        (Some(_), None) => *entry == reference.without_version(),
        (Some(_), Some(_)) => entry == reference,
    }
}

/// One entry of the list: any form of a reference without a comma.
fn entry(text: &str, hosts: &TrustedHosts) -> Result<KeyReference, String> {
    if text.is_empty() {
        return Err("an entry of the list is empty".to_owned());
    }
    let after = |prefix: &&str| {
        let head = text.get(..prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
    };
    let reference = PREFIXES.iter().find_map(after).unwrap_or(text);
    if reference.contains('=') && !reference.contains('?') {
        return Err("write akv: fields as vault:NAME:KEY here, since commas separate the entries"
            .to_owned());
    }
    KeyReference::parse(reference, hosts).map_err(|error| error.message().to_owned())
}

#[cfg(test)]
mod tests;
