//! Parsing of single values.

use std::{str::FromStr, time::Duration};

use strum::{IntoStaticStr, VariantArray};

use crate::{Error, ErrorKind, outside};

/// Where access tokens come from.
///
/// ```
/// use akv_core::{Settings, settings::CredentialKind};
///
/// let settings = Settings::builder()
///     .option("credential", CredentialKind::ManagedIdentity.name())?
///     .build()?;
/// assert_eq!("managed-identity".parse::<CredentialKind>()?, CredentialKind::ManagedIdentity);
/// assert_eq!(CredentialKind::default(), CredentialKind::Auto);
/// # let _ = settings;
/// # Ok::<(), akv_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum CredentialKind {
    /// The first of these that returns a token, which is then kept: a given access token, an
    /// application with a secret or else a certificate, workload identity, managed identity, the
    /// Azure CLI, the Azure Developer CLI. If none does, the error contains the reason of each.
    #[default]
    Auto,
    /// A given access token: in `access-token-file` or `AZURE_CLI_ACCESS_TOKEN`.
    AccessToken,
    /// An application (`client-id`, `tenant-id`) with a secret (`client-secret-file` or
    /// `AZURE_CLIENT_SECRET`).
    ClientSecret,
    /// An application (`client-id`, `tenant-id`) with a certificate (`client-certificate-file`).
    ClientCertificate,
    /// An application (`client-id`, `tenant-id`) with the federated token of a Kubernetes service
    /// account, in the file that `AZURE_FEDERATED_TOKEN_FILE` names.
    WorkloadIdentity,
    /// The identity of the machine or service where the process runs: the system-assigned one, or
    /// the user-assigned one that `client-id` names.
    ManagedIdentity,
    /// The Azure CLI's login.
    AzureCli,
    /// The Azure Developer CLI's login.
    AzureDeveloperCli,
}

impl CredentialKind {
    /// The name of this value in the setting.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl FromStr for CredentialKind {
    type Err = Error;

    /// Parses a value of the setting `credential`. The error lists the valid values.
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::VARIANTS.iter().copied().find(|kind| kind.name() == text).ok_or_else(|| {
            let names: Vec<_> = Self::VARIANTS.iter().map(|kind| kind.name()).collect();
            let text = format!("expected one of {}", names.join(", "));
            Error::new(ErrorKind::Settings, text)
        })
    }
}

/// `500ms`, `3s`, `1m`; a bare number means seconds. Zero and more than a day are refused.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit_ms) = if let Some(number) = text.strip_suffix("ms") {
        (number, 1)
    } else if let Some(number) = text.strip_suffix('s') {
        (number, 1000)
    } else if let Some(number) = text.strip_suffix('m') {
        (number, 60_000)
    } else {
        (text, 1000)
    };
    let milliseconds = number
        .parse::<u64>()
        .ok()
        .filter(|_| number.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|number| number.checked_mul(unit_ms))
        .ok_or("expected a duration such as 500ms, 3s, 1m or a number of seconds")?;
    if milliseconds == 0 || milliseconds > 86_400_000 {
        return Err("a duration must be more than zero and at most a day".to_owned());
    }
    Ok(Duration::from_millis(milliseconds))
}

/// `yes` or `no`, with the usual synonyms.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "true" | "1" => Ok(true),
        "no" | "off" | "false" | "0" => Ok(false),
        _ => Err("expected yes or no".to_owned()),
    }
}

/// A comma-separated list of DNS suffixes, converted to lower case, without leading dots.
pub(super) fn dns_suffixes(text: &str) -> Result<Vec<String>, String> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.split(',')
        .map(|suffix| suffix.trim().trim_start_matches('.').to_ascii_lowercase())
        .map(|suffix| {
            let plausible = suffix.len() <= 200
                && suffix.split('.').count() >= 2
                && suffix.split('.').all(label);
            if plausible { Ok(suffix) } else { Err(format!("{suffix:?} is not a DNS suffix")) }
        })
        .collect()
}

/// An https URL without user, query or fragment.
pub(super) fn endpoint(text: &str) -> Result<url::Url, String> {
    let mut url = outside::url(text)?;
    if url.scheme() != "https" || url.host_str().is_none() {
        return Err("expected an https URL: tokens are sent only over TLS".to_owned());
    }
    if outside::has_user(&url) {
        return Err("a user in the URL is not supported".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("a query or fragment in the URL is not supported".to_owned());
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_parsed() {
        for (text, expected) in [("500ms", 500), ("3s", 3000), ("1m", 60_000), ("7", 7000)] {
            assert_eq!(duration(text).unwrap(), Duration::from_millis(expected), "{text}");
        }
        for text in ["", "s", "-1", "+1", "1h", "1.5s", "0", "0ms", "99999999999999999999", "2000m"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn suffixes_are_parsed() {
        assert_eq!(
            dns_suffixes(".Vault.Example.org, managedhsm.example.org").unwrap(),
            ["vault.example.org", "managedhsm.example.org"]
        );
        for text in ["", "org", "a..b", "-a.b", "a/b.c", "a.b:1"] {
            assert!(dns_suffixes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn endpoints_are_parsed() {
        assert_eq!(endpoint("https://127.0.0.1:8443").unwrap().as_str(), "https://127.0.0.1:8443/");
        for text in ["http://h", "https://u@h", "https://h?q", "https://h#f", "h:443", "file:///x"]
        {
            assert!(endpoint(text).is_err(), "{text}");
        }
    }
}
