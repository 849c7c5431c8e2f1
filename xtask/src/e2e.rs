//! `cargo xtask e2e`: the cases of `tests/e2e`, with modules that are up to date.

use std::{ffi::OsString, os::unix::process::CommandExt as _, process::Command};

use anyhow::{Context as _, Result};
use clap::Args;

use crate::build::Build;

/// Arguments of `cargo xtask e2e`: those of `akv-e2e`, which has the help, too.
#[derive(Args)]
pub(crate) struct E2e {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl E2e {
    /// Becomes `akv-e2e`, so that Ctrl-C reaches nobody else: it has keys to delete.
    pub(crate) fn run(&self) -> Result<()> {
        let mut command = Command::new(akv_tests::modules::cargo());
        command.args(["run", "--quiet", "--package", "akv-e2e", "--"]).args(&self.arguments);
        let only_asks = ["--help", "-h", "--list"];
        if !self.arguments.iter().any(|argument| only_asks.iter().any(|asks| argument == asks)) {
            command.env(akv_tests::modules::VARIABLE, Build::default().run()?);
        }
        Err(command.exec()).context("cargo cannot be started")
    }
}
