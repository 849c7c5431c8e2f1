//! `akv key`: the keys of a vault.

mod create;
mod describe;
mod list;

pub(crate) use describe::{attributes_json, describe, key_json, kind};

use akv_core::AnyKey;
use clap::{Args, Subcommand};

use crate::{
    exit::Result,
    key::Named,
    output::{Show, counters_json},
    settings::SettingsArguments,
};

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List the keys of a vault, or the versions of a key.
    List(list::List),
    /// Show a key: type, attributes, permitted operations, public half.
    Show(ShowKey),
    /// Create a key.
    Create(create::Create),
    /// Create a new version of a key.
    Rotate(Rotate),
}

impl KeyCommand {
    pub(crate) async fn run(self, show: Show) -> Result<()> {
        match self {
            Self::List(command) => command.run(show).await,
            Self::Show(command) => command.run(show).await,
            Self::Create(command) => command.run(show).await,
            Self::Rotate(command) => command.run(show).await,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct ShowKey {
    /// The key.
    key: String,
    #[command(flatten)]
    settings: SettingsArguments,
}

impl ShowKey {
    async fn run(self, show: Show) -> Result<()> {
        let client = self.settings.client()?;
        // A key file does not contain the attributes.
        let key = Named::read(&client, &self.key)?.fetch(&client).await?;
        print(show, &client, &key)
    }
}

#[derive(Args, Debug)]
pub(crate) struct Rotate {
    /// The key, without a version.
    key: String,
    #[command(flatten)]
    settings: SettingsArguments,
}

impl Rotate {
    async fn run(self, show: Show) -> Result<()> {
        let client = self.settings.client()?;
        let reference = client.reference(&self.key)?;
        let name = create::new_name(&reference, "rotated")?;
        let key = client.vault(&reference.vault())?.rotate(name).await?;
        print(show, &client, &key)
    }
}

/// Prints a key and the counters.
fn print(show: Show, client: &akv_core::Client, key: &AnyKey) -> Result<()> {
    let mut value = key_json(key);
    value["counters"] = counters_json(client.counters());
    show.result(&value, |out| describe(key, out))?;
    show.counters(client);
    Ok(())
}
