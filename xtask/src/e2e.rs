//! `cargo xtask e2e`: the cases of `tests/e2e`. The program builds the modules itself, after it has
//! parsed its arguments.

use std::{ffi::OsString, os::unix::process::CommandExt as _, process::Command};

use anyhow::{Context as _, Result};
use clap::Args;

/// Arguments of `cargo xtask e2e`: those of `akv-e2e`, including its help.
#[derive(Args)]
pub(crate) struct E2e {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl E2e {
    /// Replaces this process by `akv-e2e`, so that only it receives Ctrl-C: it has keys to delete.
    pub(crate) fn run(&self) -> Result<()> {
        let mut command = Command::new(akv_tests::modules::cargo());
        command.args(["run", "--quiet", "--package", "akv-e2e", "--"]).args(&self.arguments);
        Err(command.exec()).context("cargo cannot be started")
    }
}
