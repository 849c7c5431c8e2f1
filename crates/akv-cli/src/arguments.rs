//! The command line.

use clap::{Parser, Subcommand};

use crate::{
    commands::{
        bench, cert, cipher, completions, config, doctor, emulator, key, man, pem, pkcs12, sign,
        verify,
    },
    exit::{Failure, Result},
    output::Show,
};

/// Work with keys that stay in Azure Key Vault or Managed HSM.
///
/// KEY is a reference such as vault:myVault:myKey, managedHsm:myHsm:myKey or
/// https://myVault.vault.azure.net/keys/myKey, with or without a version, or the path of a key file
/// that `akv pem` wrote.
#[derive(Debug, Parser)]
#[command(name = "akv", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Akv {
    /// Print results, and errors on standard error, as JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print counters: operations, retries, throttled, token refreshes, connections.
    #[arg(short, long, global = true)]
    verbose: bool,
    /// When to use colours.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    #[command(subcommand)]
    command: Command,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// Applies it to all output from now on.
    pub(crate) fn write_global(self) {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    Doctor(doctor::Doctor),
    Bench(bench::Bench),
    Pem(pem::Pem),
    Pkcs12(pkcs12::Pkcs12),
    /// List, show, create and rotate keys.
    #[command(subcommand)]
    Key(key::KeyCommand),
    Sign(sign::Sign),
    Verify(verify::Verify),
    Encrypt(cipher::Encrypt),
    Decrypt(cipher::Decrypt),
    Wrap(cipher::Wrap),
    Unwrap(cipher::Unwrap),
    /// Create certificates and certificate requests, signed in the vault.
    #[command(subcommand)]
    Cert(cert::Cert),
    Config(config::Config),
    Emulator(emulator::Emulator),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Akv {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<()> {
        let show = Show { json: self.json, verbose: self.verbose };
        match self.command {
            Command::Config(command) => command.run(show),
            Command::Pkcs12(command) => command.run(show),
            Command::Emulator(command) => command.run(show),
            Command::Completions(command) => command.run(),
            Command::Man(command) => command.run(show),
            command => runtime()?.block_on(command.run_async(show)),
        }
    }
}

impl Command {
    /// Runs a command that sends requests.
    async fn run_async(self, show: Show) -> Result<()> {
        match self {
            Self::Doctor(command) => command.run(show).await,
            Self::Bench(command) => command.run(show).await,
            Self::Pem(command) => command.run(show).await,
            Self::Key(command) => command.run(show).await,
            Self::Sign(command) => command.run(show).await,
            Self::Verify(command) => command.run(show).await,
            Self::Encrypt(command) => command.run(show).await,
            Self::Decrypt(command) => command.run(show).await,
            Self::Wrap(command) => command.run(show).await,
            Self::Unwrap(command) => command.run(show).await,
            Self::Cert(command) => command.run(show).await,
            Self::Config(_)
            | Self::Pkcs12(_)
            | Self::Emulator(_)
            | Self::Completions(_)
            | Self::Man(_) => Ok(()),
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::System(format!("cannot start threads: {error}")))
}
