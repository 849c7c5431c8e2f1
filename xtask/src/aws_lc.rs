//! A TLS server with AWS-LC's libssl whose key is in the vault, by the C API.

mod build;

use akv_tests::{aws_lc, modules};
use anyhow::{Result, ensure};
use xshell::{Shell, cmd};

use crate::{build::Build, cases::Outcome, needs};

/// The cargo arguments of the cases in `tests/hosts/aws_lc`.
pub(crate) const TESTS: [&str; 4] = ["--package", "akv-tests", "--test", "hosts_aws_lc"];

/// Builds AWS-LC if necessary, and runs the cases.
///
/// # Errors
/// AWS-LC or the modules cannot be built, or a case did not pass.
pub(crate) fn matrix() -> Result<()> {
    let missing = needs::install(&needs::FOR_AWS_LC)?;
    ensure!(missing.is_empty(), "{}", needs::explain(&missing));
    let (version, prefix) = build::installation()?;
    let folder = modules::existing().map_or_else(|| Build::default().run(), Ok)?;
    let shell = Shell::new()?;
    shell.change_dir(modules::workspace());
    let cargo = modules::cargo();
    cmd!(shell, "{cargo} test --quiet --no-run {TESTS...}").quiet().run()?;
    let command = cmd!(shell, "{cargo} test --quiet {TESTS...} -- --format pretty")
        .env(aws_lc::VARIABLE, prefix)
        .env(modules::VARIABLE, folder);
    Outcome::of(command.into())?.refuse_failures(&format!("with AWS-LC of aws-lc-sys {version}"))
}
