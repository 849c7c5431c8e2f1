//! The environment as it was at load.

use std::{collections::BTreeMap, ffi::OsString};

use zeroize::Zeroizing;

/// Variables that are not our settings but that we read: those of the identity endpoints, of
/// proxies and of the command-line tools.
const FOREIGN: &[&str] = &[
    "AZD_CONFIG_DIR",
    "AZURE_AUTHORITY_HOST",
    "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN",
    "AZURE_CONFIG_DIR",
    "AZURE_FEDERATED_TOKEN_FILE",
    "HOME",
    "HTTPS_PROXY",
    "https_proxy",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "IMDS_ENDPOINT",
    "NO_PROXY",
    "no_proxy",
    "PATH",
];

/// A snapshot of [`FOREIGN`] variables. Values may be secrets (`IDENTITY_HEADER`).
#[derive(Clone, Default)]
pub(crate) struct Environment(BTreeMap<&'static str, Zeroizing<String>>);

impl Environment {
    /// Copies the variables from the process's environment.
    pub(super) fn capture(read: impl Fn(&str) -> Option<OsString>) -> Self {
        Self(
            FOREIGN
                .iter()
                .filter_map(|name| {
                    let value = read(name)?.into_string().ok().filter(|text| !text.is_empty())?;
                    Some((*name, Zeroizing::new(value)))
                })
                .collect(),
        )
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.as_str())
    }
}
