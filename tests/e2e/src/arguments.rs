//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Runs end-to-end cases (Rust API, provider, engine, C API, nginx) against real vaults.
///
/// The credential is that of every Azure SDK: AZURE_… variables, a managed identity, or `az login`;
/// AKV_… variables apply as in every program. The keys are created for the run, with names that
/// start with `akv-e2e-`, and are deleted at the end, also after Ctrl-C. No other key is changed.
#[derive(Parser, Debug)]
#[command(name = "akv-e2e", bin_name = "cargo xtask e2e")]
pub(crate) struct Arguments {
    /// The name of a key vault, as in `https://NAME.vault.azure.net`.
    #[arg(long, env = "AKV_E2E_VAULT", value_name = "NAME")]
    pub(crate) vault: Option<String>,
    /// The name of a Managed HSM, as in `https://NAME.managedhsm.azure.net`.
    #[arg(long, env = "AKV_E2E_HSM", value_name = "NAME")]
    pub(crate) hsm: Option<String>,
    /// Runs against the embedded vault and an embedded Managed HSM instead.
    #[arg(long, conflicts_with_all = ["vault", "hsm"])]
    pub(crate) emulator: bool,
    /// Runs only the cases whose line in `--list` contains this text, and those that create their
    /// keys; may be repeated.
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Vec<String>,
    /// Prints the cases and exits.
    #[arg(long)]
    pub(crate) list: bool,
    /// Leaves deleted keys recoverable for the vault's retention period, instead of purging them. A
    /// vault with purge protection does so anyway.
    #[arg(long)]
    pub(crate) no_purge: bool,
    /// Records the exchanges with the service in this folder, one JSON file each, without tokens,
    /// tenants, addresses and names.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) record: Option<PathBuf>,
    /// The folder for `junit.xml` and `report.json`; by default `e2e` in cargo's target folder.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) report: Option<PathBuf>,
}
