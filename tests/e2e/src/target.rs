//! The target of the cases: a vault or a Managed HSM, real or embedded.

use akv_core::{Settings, VaultKind};
use anyhow::Result;

/// Variables of the caller that are passed to the programs under test.
const PASSED: [&str; 8] = [
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "IMDS_ENDPOINT",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
];

/// A vault, and how programs reach it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) kind: VaultKind,
    pub(crate) name: String,
    /// Whether the caller's environment applies: it has the credential for a real vault, but would
    /// point an embedded one elsewhere.
    pub(crate) environment: bool,
    /// Settings of this run, which override the environment.
    pub(crate) settings: Vec<(&'static str, String)>,
}

impl Target {
    /// A real vault: the environment determines how to reach it.
    pub(crate) fn real(kind: VaultKind, name: &str) -> Self {
        Self { kind, name: name.to_owned(), environment: true, settings: Vec::new() }
    }

    /// `vault` or `hsm`, for tables and names of files.
    pub(crate) fn label(&self) -> &'static str {
        match self.kind {
            VaultKind::Vault => "vault",
            VaultKind::ManagedHsm => "hsm",
        }
    }

    /// The reference of a key, or of the vault itself without a key's name.
    pub(crate) fn reference(&self, key: &str) -> String {
        match self.kind {
            VaultKind::Vault => format!("vault:{}:{key}", self.name),
            VaultKind::ManagedHsm => format!("managedHsm:{}:{key}", self.name),
        }
    }

    /// The settings for the Rust API.
    pub(crate) fn settings(&self) -> Result<Settings> {
        let builder = match self.environment {
            true => Settings::builder().environment(),
            false => Settings::builder(),
        };
        let mut settings = self.settings.iter();
        let builder =
            settings.try_fold(builder, |builder, (name, value)| builder.argument(name, value))?;
        Ok(builder.build()?)
    }

    /// The same as environment variables, for programs.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let passed = |name: &str| {
            name.starts_with("AZURE_") || name.starts_with("AKV_") || PASSED.contains(&name)
        };
        let mut variables: Vec<(String, String)> = match self.environment {
            true => std::env::vars().filter(|(name, _)| passed(name)).collect(),
            false => Vec::new(),
        };
        for (name, value) in &self.settings {
            let name = format!("AKV_{}", name.to_uppercase().replace('-', "_"));
            variables.retain(|(known, _)| *known != name);
            variables.push((name, value.clone()));
        }
        variables
    }

    /// Sets a setting of this run, over what it was.
    pub(crate) fn set(&mut self, name: &'static str, value: String) {
        self.settings.retain(|(known, _)| *known != name);
        self.settings.push((name, value));
    }
}
