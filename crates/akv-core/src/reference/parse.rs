//! One parser for every form of a key reference.

use url::Host;

use super::{
    KeyReference,
    fields::{Fields, quoted, refused},
    names::Reason,
};
use crate::{Cloud, Error, Result, VaultKind, outside};

/// Maximum length of a reference in bytes; the longest valid one has about 300.
const MAX_LEN: usize = 1024;

/// The DNS suffixes under which a URL may name a vault.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedHosts {
    /// The configured cloud.
    pub(crate) cloud: Cloud,
    /// Suffixes that the administrator added, in lower case, without a leading dot.
    pub(crate) extra: Vec<String>,
}

pub(super) fn parse(text: &str, hosts: &TrustedHosts) -> Result<KeyReference> {
    read(text, hosts).and_then(|fields| fields.check(text)).map_err(|reason| refused(text, &reason))
}

fn read<'a>(text: &'a str, hosts: &TrustedHosts) -> Result<Fields<'a>, Reason> {
    if text.len() > MAX_LEN {
        return Err(format!("it is longer than {MAX_LEN} bytes"));
    }
    if let Some(rest) = strip_scheme(text, "akv") {
        if is_url(rest) { url(rest, hosts) } else { key_values(rest) }
    } else if is_url(text) {
        url(text, hosts)
    } else if let Some(rest) = strip_scheme(text, "engine") {
        let (engine, rest) =
            rest.split_once(':').ok_or("the engine id is missing after \"engine:\"")?;
        if engine != "e_akv" {
            return Err(format!("the engine id {} is not e_akv", quoted(engine)));
        }
        sections(rest)
    } else {
        sections(text)
    }
}

fn strip_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (head, rest) = text.split_once(':')?;
    head.eq_ignore_ascii_case(scheme).then_some(rest)
}

fn is_url(text: &str) -> bool {
    strip_scheme(text, "https").is_some() || strip_scheme(text, "http").is_some()
}

/// `type:vault:key`, then `:version` or `?version=version`.
fn sections(text: &str) -> Result<Fields<'_>, Reason> {
    let (path, query) = match text.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    };
    let mut parts = path.split(':');
    let kind = kind(parts.next().unwrap_or_default())?;
    let vault = parts.next().ok_or("the vault name is missing")?;
    let key = parts.next().ok_or("the key name is missing")?;
    let mut version = parts.next();
    if parts.next().is_some() {
        return Err("it has too many sections".to_owned());
    }
    if let Some(query) = query {
        let value =
            query.strip_prefix("version=").ok_or("only version=… is accepted after \"?\"")?;
        if version.replace(value).is_some() {
            return Err("it has the version twice".to_owned());
        }
    }
    Ok(Fields { kind, vault, key, version, suffix: None })
}

fn kind(section: &str) -> Result<VaultKind, Reason> {
    section
        .parse()
        .map_err(|_: Error| format!("the type {} is not vault or managedHsm", quoted(section)))
}

/// `type=…,vault=…,name=…,version=…`, with the predecessor's longer names.
fn key_values(text: &str) -> Result<Fields<'_>, Reason> {
    let [mut kind_value, mut vault, mut key, mut version] = [None; 4];
    for field in text.split(',') {
        let (name, value) = field
            .split_once('=')
            .ok_or_else(|| format!("{} is not of the form name=value", quoted(field)))?;
        let slot = match name {
            "type" | "keyvault_type" => &mut kind_value,
            "vault" | "keyvault_name" => &mut vault,
            "name" | "key_name" => &mut key,
            "version" | "key_version" => &mut version,
            _ => return Err(format!("unknown field {}", quoted(name))),
        };
        if slot.replace(value).is_some() {
            return Err(format!("the field {} is repeated", quoted(name)));
        }
    }
    Ok(Fields {
        kind: kind_value.map_or(Ok(VaultKind::ManagedHsm), kind)?,
        vault: vault.ok_or("the field \"vault\" is missing")?,
        key: key.ok_or("the field \"name\" is missing")?,
        version,
        suffix: None,
    })
}

/// `https://NAME.SUFFIX/keys/KEY[/VERSION][/]`.
///
/// The sections are taken from the text itself, and the text must equal the URL parser's output, so
/// that no spelling trick can name a different host from the one that was checked.
fn url<'a>(text: &'a str, hosts: &TrustedHosts) -> Result<Fields<'a>, Reason> {
    let url = outside::url(text)?;
    if url.scheme() != "https" {
        return Err("only https URLs are accepted".to_owned());
    }
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.port().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let Some((host_text, path)) = text
        .get("https://".len()..)
        .filter(|_| text.is_char_boundary(6) && text[6..].starts_with("//"))
        .and_then(|rest| rest.split_once('/'))
    else {
        return Err("the URL has no path".to_owned());
    };
    if !plain || host_text.contains([':', '@']) || path.contains(['?', '#']) {
        return Err("the URL must have no user, port, query or fragment".to_owned());
    }
    let same_host = matches!(url.host(), Some(Host::Domain(domain))
        if domain.eq_ignore_ascii_case(host_text));
    if !same_host {
        return Err(format!("{} is not a plain host name", quoted(host_text)));
    }
    let (vault, kind, suffix) = trusted(host_text, hosts)?;
    let Some(path) = path.strip_prefix("keys").filter(|p| p.is_empty() || p.starts_with('/'))
    else {
        return Err("the URL's path does not begin with /keys".to_owned());
    };
    let path = path.strip_prefix('/').unwrap_or_default();
    // Users copy URLs with a slash at the end.
    let path = path.strip_suffix('/').filter(|path| !path.ends_with('/')).unwrap_or(path);
    let mut parts = path.split('/');
    let key = parts.next().unwrap_or_default();
    let version = parts.next();
    if parts.next().is_some() {
        return Err("the URL's path has too many parts".to_owned());
    }
    Ok(Fields { kind, vault, key, version, suffix })
}

/// Splits a host name into vault name and suffix, if the suffix is one that we trust.
fn trusted<'a>(
    host: &'a str,
    hosts: &TrustedHosts,
) -> Result<(&'a str, VaultKind, Option<String>), Reason> {
    let lower = host.to_ascii_lowercase();
    let name_before = |suffix: &str| {
        let name = lower.strip_suffix(suffix)?.strip_suffix('.')?;
        Some(&host[..name.len()])
    };
    for kind in [VaultKind::Vault, VaultKind::ManagedHsm] {
        if let Some(name) = name_before(hosts.cloud.dns_suffix(kind)) {
            return Ok((name, kind, None));
        }
    }
    for suffix in &hosts.extra {
        if let Some(name) = name_before(suffix) {
            let hsm = suffix.starts_with("managedhsm.");
            let kind = if hsm { VaultKind::ManagedHsm } else { VaultKind::Vault };
            return Ok((name, kind, Some(suffix.clone())));
        }
    }
    Err(format!(
        "{} is not under {}, {} or a configured dns-suffix",
        quoted(host),
        hosts.cloud.dns_suffix(VaultKind::Vault),
        hosts.cloud.dns_suffix(VaultKind::ManagedHsm),
    ))
}
