//! `cargo xtask soak`: signing for many minutes while everything around goes wrong that may.

use anyhow::Result;
use clap::Args;
use xshell::{Shell, cmd};

/// Arguments of `cargo xtask soak`.
#[derive(Args)]
pub(crate) struct Soak {
    /// How many signatures.
    #[arg(long, default_value_t = 200_000)]
    signatures: u64,
    /// How many threads sign.
    #[arg(long, default_value_t = 16)]
    threads: u64,
    /// Repeats a run: what is signed and which faults strike in which order. It is printed.
    #[arg(long)]
    seed: Option<u64>,
}

impl Soak {
    /// Runs the long form of the soak test, which lies beside `akv-core`.
    pub(crate) fn run(&self) -> Result<()> {
        let shell = Shell::new()?;
        shell.change_dir(akv_tests::modules::workspace());
        shell.set_var("AKV_SOAK_SIGNATURES", self.signatures.to_string());
        shell.set_var("AKV_SOAK_THREADS", self.threads.to_string());
        if let Some(seed) = self.seed {
            shell.set_var("AKV_SOAK_SEED", seed.to_string());
        }
        let cargo = akv_tests::modules::cargo();
        let test = ["--package", "akv-core", "--test", "soak", "every_signature_comes_for_a_long"];
        Ok(cmd!(shell, "{cargo} test {test...} -- --ignored --nocapture").quiet().run()?)
    }
}
