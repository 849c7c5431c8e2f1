//! `cargo xtask bench`: the cost of a signature, as a ratio to a bare client in the same run.

use anyhow::Result;
use clap::Args;
use xshell::{Shell, cmd};

/// Arguments of `cargo xtask bench`.
#[derive(Args)]
pub(crate) struct Bench {
    /// Passed on to the benchmark program; `--help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Bench {
    /// Builds with optimization and measures.
    pub(crate) fn run(&self) -> Result<()> {
        let shell = Shell::new()?;
        shell.change_dir(akv_tests::modules::workspace());
        let (cargo, arguments) = (akv_tests::modules::cargo(), &self.arguments);
        println!("Building with optimization; the first time takes minutes.");
        let run =
            cmd!(shell, "{cargo} run --release --quiet --package akv-bench -- {arguments...}");
        Ok(run.quiet().run()?)
    }
}
