//! `cargo xtask hosts --packages`: installs the packages in Debian systems, uses them as the README
//! says, and removes them.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail, ensure};
use xshell::Shell;

use crate::{
    build::target_folder,
    debian::{self, DEBIAN_11, DEBIAN_12, DEBIAN_13, Root, Shared, Suite},
};

/// The steps, run inside the system with the folder of the packages as their argument.
const STEPS: &str = include_str!("in_root.sh");

/// A network of their own, where every port is free.
const ALONE: [&str; 6] =
    ["unshare", "--net", "sh", "-c", r#"ip link set lo up && exec "$@""#, "sh"];

/// Runs the steps in each release, and prints those that passed.
///
/// # Errors
/// There are no packages, a system cannot be built, or a step failed.
pub(crate) fn packages() -> Result<()> {
    debian::prepare(&[])?;
    let shell = Shell::new()?;
    shell.change_dir(akv_tests::modules::workspace());
    let built = target_folder(&shell)?.join("dist");
    let mut failed = Vec::new();
    for suite in [&DEBIAN_11, &DEBIAN_12, &DEBIAN_13] {
        if let Err(error) = check(suite, &built) {
            println!("{}: NOT PASSED: {error:#}", suite.name);
            failed.push(suite.name);
        }
    }
    if !failed.is_empty() {
        bail!("the packages do not work on {}", failed.join(" and "));
    }
    Ok(())
}

fn check(suite: &'static Suite, built: &Path) -> Result<()> {
    let root = Root::open(suite)?;
    let shared = Shared::with([root.folder()])?;
    let mut count = 0;
    for entry in fs::read_dir(built).with_context(|| explain(built))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb" || extension == "gz") {
            fs::copy(&path, shared.path().join(path.file_name().context("a name")?))?;
            count += 1;
        }
    }
    ensure!(count > 0, "{}", explain(built));
    let (shell, folder) = (Shell::new()?, root.folder());
    let command = shared.command(&shell).args(ALONE).arg("chroot").arg(folder);
    let output = command.args(["sh", "-euc", STEPS, "sh"]).arg(shared.path());
    let output = output.quiet().ignore_status().output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    for line in text.lines().filter_map(|line| line.strip_prefix("passed: ")) {
        println!("{}: {line}", suite.name);
    }
    Ok(())
}

fn explain(built: &Path) -> String {
    format!("there are no packages in {built:?}; `cargo xtask dist` makes them")
}
