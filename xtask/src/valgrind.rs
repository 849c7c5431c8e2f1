//! `cargo xtask valgrind`: the C programs under memcheck, with many cycles.

use anyhow::{Result, bail};
use clap::Args;
use xshell::{Shell, cmd};

use crate::needs::{self, VALGRIND};

/// Arguments of `cargo xtask valgrind`.
#[derive(Args)]
pub(crate) struct Valgrind {}

impl Valgrind {
    /// Runs the tests under valgrind, including those that take minutes.
    pub(crate) fn run(&self) -> Result<()> {
        let missing = needs::install(&[VALGRIND])?;
        if !missing.is_empty() {
            bail!("{}", needs::explain(&missing));
        }
        let shell = Shell::new()?;
        shell.change_dir(akv_tests::modules::workspace());
        let cargo = akv_tests::modules::cargo();
        let test = ["--package", "akv-tests", "--test", "provider_memory"];
        Ok(cmd!(shell, "{cargo} test {test...} -- --include-ignored").quiet().run()?)
    }
}
