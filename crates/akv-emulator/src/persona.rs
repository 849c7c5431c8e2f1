//! The emulated service: a vault or a Managed HSM, selected by the `Host` header.

use serde::{Deserialize, Serialize};

use crate::recovery::Recovery;

/// The service that the emulator imitates.
///
/// The two differ in key types, default `key_ops`, error messages, headers, the body of a 401,
/// paging links and the members of an operation's result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Persona {
    /// Azure Key Vault (standard and premium): software and HSM keys, HTTP/2.
    #[default]
    Vault,
    /// Azure Key Vault Managed HSM: HSM keys only, symmetric keys too, HTTP/1.1.
    ManagedHsm,
}

/// Names of the real authorities, for the server certificate.
pub(crate) const AUTHORITIES: [&str; 4] = [
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
];

/// DNS suffixes of the public, US government and China clouds.
pub(crate) const SUFFIXES: [(&str, Persona); 6] = [
    ("vault.azure.net", Persona::Vault),
    ("managedhsm.azure.net", Persona::ManagedHsm),
    ("vault.usgovcloudapi.net", Persona::Vault),
    ("managedhsm.usgovcloudapi.net", Persona::ManagedHsm),
    ("vault.azure.cn", Persona::Vault),
    ("managedhsm.azure.cn", Persona::ManagedHsm),
];

impl Persona {
    /// The audience of access tokens in the public cloud.
    #[must_use]
    pub const fn audience(self) -> &'static str {
        match self {
            Self::Vault => "https://vault.azure.net",
            Self::ManagedHsm => "https://managedhsm.azure.net",
        }
    }

    /// The protocols offered by ALPN: a Managed HSM supports only HTTP/1.1.
    pub(crate) fn alpn(self) -> Vec<Vec<u8>> {
        match self {
            Self::Vault => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Self::ManagedHsm => vec![b"http/1.1".to_vec()],
        }
    }

    /// The key type that the service reports for a requested one; `None` if it refuses it.
    pub(crate) fn key_type(self, requested: &str) -> Option<&'static str> {
        match (self, requested) {
            (Self::Vault, "RSA") => Some("RSA"),
            (Self::Vault, "EC") => Some("EC"),
            (_, "RSA-HSM") | (Self::ManagedHsm, "RSA") => Some("RSA-HSM"),
            (_, "EC-HSM") | (Self::ManagedHsm, "EC") => Some("EC-HSM"),
            (Self::ManagedHsm, "oct" | "oct-HSM") => Some("oct-HSM"),
            _ => None,
        }
    }

    /// Default `key_ops` of a key, in the service's order.
    pub(crate) fn default_operations(self, key_type: &str) -> &'static [&'static str] {
        match (self, key_type) {
            (Self::Vault, "RSA" | "RSA-HSM") => {
                &["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"]
            }
            (Self::ManagedHsm, "RSA-HSM") => {
                &["wrapKey", "decrypt", "encrypt", "unwrapKey", "sign", "verify"]
            }
            (Self::ManagedHsm, "oct-HSM") => &["wrapKey", "unwrapKey", "encrypt", "decrypt"],
            (Self::ManagedHsm, _) => &["verify", "sign"],
            _ => &["sign", "verify"],
        }
    }
}

/// The vault of a request's host name.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) persona: Persona,
    /// Key of the vault in the store: the host name under a known suffix, otherwise empty.
    pub(crate) vault: String,
    /// `https://` and the host as requested, port included.
    pub(crate) base: String,
    /// The same with an explicit port, as in the vault's `nextLink`.
    pub(crate) base_with_port: String,
    /// The audience that a token must have; `None` accepts any known one (unknown host names).
    pub(crate) audience: Option<String>,
    /// The resource named in the 401 challenge.
    pub(crate) resource: String,
    /// The vault's rules for deleted keys.
    pub(crate) recovery: Recovery,
}

impl Target {
    /// Parses a `Host` header (or HTTP/2 `:authority`).
    pub(crate) fn new(authority: &str, default: Persona) -> Self {
        let authority = authority.to_ascii_lowercase();
        let (host, has_port) = split_port(&authority);
        let base = format!("https://{authority}");
        let base_with_port = if has_port { base.clone() } else { format!("{base}:443") };
        match known(host) {
            Some((suffix, persona)) => Self {
                persona,
                vault: host.to_owned(),
                base,
                base_with_port,
                audience: Some(format!("https://{suffix}")),
                resource: format!("https://{suffix}"),
                recovery: Recovery::default(),
            },
            None => Self {
                persona: default,
                vault: String::new(),
                base,
                base_with_port,
                audience: None,
                resource: default.audience().to_owned(),
                recovery: Recovery::default(),
            },
        }
    }

    /// The first label of the host, which is the vault's name.
    pub(crate) fn vault_name(&self) -> &str {
        self.vault.split('.').next().filter(|name| !name.is_empty()).unwrap_or("emulator")
    }
}

/// Splits a trailing port off; brackets of an IPv6 literal stay with the host.
fn split_port(authority: &str) -> (&str, bool) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
            (host, true)
        }
        _ => (authority, false),
    }
}

/// The known suffix that `host` ends in, if exactly one label precedes it.
pub(crate) fn known(host: &str) -> Option<(&'static str, Persona)> {
    SUFFIXES.into_iter().find(|(suffix, _)| {
        host.strip_suffix(suffix).and_then(|rest| rest.strip_suffix('.')).is_some_and(|label| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
    })
}

/// True for the audience of a vault or Managed HSM in any cloud.
pub(crate) fn is_known_audience(audience: &str) -> bool {
    let bare = audience.trim_end_matches('/');
    SUFFIXES.iter().any(|(suffix, _)| bare.strip_prefix("https://") == Some(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_suffix_names_vault_and_persona() {
        let target = Target::new("MyHsm.managedhsm.azure.net", Persona::Vault);
        assert_eq!(target.persona, Persona::ManagedHsm);
        assert_eq!(target.vault, "myhsm.managedhsm.azure.net");
        assert_eq!(target.vault_name(), "myhsm");
        assert_eq!(target.audience.as_deref(), Some("https://managedhsm.azure.net"));
        assert_eq!(target.base_with_port, "https://myhsm.managedhsm.azure.net:443");
    }

    #[test]
    fn other_hosts_share_the_default_vault() {
        for host in ["127.0.0.1:8443", "[::1]:8443", "localhost", "a.b.vault.azure.net.evil"] {
            let target = Target::new(host, Persona::ManagedHsm);
            assert_eq!(target.persona, Persona::ManagedHsm, "{host}");
            assert_eq!(target.vault, "", "{host}");
            assert_eq!(target.base, format!("https://{host}"));
        }
        assert!(known("a.b.vault.azure.net").is_none());
        assert!(known(".vault.azure.net").is_none());
        // The label becomes a folder name in the state folder.
        assert!(known("a/b.vault.azure.net").is_none());
    }
}
