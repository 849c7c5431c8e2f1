//! `cargo xtask soak`: signs for many minutes while the network, the service and the tokens fail at
//! random; then serves TLS handshakes in ASYNC jobs of which one in ten is given up.

use anyhow::Result;
use clap::Args;
use xshell::{Shell, cmd};

/// Arguments of `cargo xtask soak`.
#[derive(Args)]
pub(crate) struct Soak {
    /// Number of signatures.
    #[arg(long, default_value_t = 200_000)]
    signatures: u64,
    /// Number of signing threads.
    #[arg(long, default_value_t = 16)]
    threads: u64,
    /// Number of TLS handshakes in ASYNC jobs, made twice.
    #[arg(long, default_value_t = 10_000)]
    handshakes: u64,
    /// Repeats a run: what is signed, and the order of the faults of the signatures. Each run prints its seed.
    #[arg(long)]
    seed: Option<u64>,
}

impl Soak {
    /// Runs the long forms of the soak tests of `akv-core` and of the provider.
    pub(crate) fn run(&self) -> Result<()> {
        let shell = Shell::new()?;
        shell.change_dir(akv_tests::modules::workspace());
        shell.set_var("AKV_SOAK_SIGNATURES", self.signatures.to_string());
        shell.set_var("AKV_SOAK_THREADS", self.threads.to_string());
        if let Some(seed) = self.seed {
            shell.set_var("AKV_SOAK_SEED", seed.to_string());
        }
        let cargo = akv_tests::modules::cargo();
        let test =
            ["--package", "akv-core", "--test", "soak", "every_signature_succeeds_for_a_long"];
        cmd!(shell, "{cargo} test {test...} -- --ignored --nocapture").quiet().run()?;
        shell.set_var("AKV_SOAK_HANDSHAKES", self.handshakes.to_string());
        let test =
            ["--package", "akv-tests", "--test", "provider", "leave_nothing_behind_for_a_long"];
        Ok(cmd!(shell, "{cargo} test {test...} -- --ignored --nocapture").quiet().run()?)
    }
}
