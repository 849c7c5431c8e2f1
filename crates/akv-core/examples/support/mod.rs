//! The embedded vault, in this process, for the examples.

use std::error::Error;

use akv_core::{Settings, blocking::Client};
use akv_emulator::Emulator;
use tempfile::NamedTempFile;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The embedded vault and a client of it. The vault stops when this is dropped.
pub(crate) struct Embedded {
    pub(crate) client: Client,
    #[allow(dead_code, reason = "not every example sets it")]
    pub(crate) vault: Emulator,
    _ca_file: NamedTempFile,
}

impl Embedded {
    #[allow(dead_code, reason = "one example has settings of its own")]
    pub(crate) fn start() -> Result<Self> {
        Self::with(&[])
    }

    /// With more variables of the environment.
    pub(crate) fn with(more: &[(&str, &str)]) -> Result<Self> {
        let vault = Emulator::builder().start()?;
        let ca_file = NamedTempFile::new()?;
        std::fs::write(ca_file.path(), vault.ca_pem())?;
        // For a vault in the cloud, `Settings::from_environment()?` is enough.
        let settings = Settings::builder().environment_from(|name| match name {
            "AKV_ENDPOINT" => Some(vault.endpoint().into()),
            "AKV_CA_FILE" => Some(ca_file.path().into()),
            "AZURE_CLI_ACCESS_TOKEN" => Some(vault.token().into()),
            _ => more.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()),
        });
        let client = Client::new(settings.build()?);
        Ok(Self { client, vault, _ca_file: ca_file })
    }
}
