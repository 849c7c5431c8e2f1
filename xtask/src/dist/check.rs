//! `cargo xtask hosts --packages`: signs the packages, installs, upgrades, uses and removes them in
//! Debian systems, and builds the images for containers.

mod containerfile;
mod containers;
mod development;
mod releaser;

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail, ensure};
use xshell::Shell;

use self::releaser::Releaser;
use crate::{
    build::target_folder,
    debian::{
        self, DEBIAN_11, DEBIAN_12, DEBIAN_13, DEBIAN_13_RPM, DEBIAN_SID, Root, Shared, Suite,
    },
    needs,
};

/// The steps, run inside the system with the folder of the packages as their argument.
const DEBIAN: &str = include_str!("check/in_root.sh");

/// As [`DEBIAN`], for rpm.
const RPM: &str = include_str!("check/rpm.sh");

/// Systems, with their steps.
const SYSTEMS: [(&Suite, &str); 5] = [
    (&DEBIAN_11, DEBIAN),
    (&DEBIAN_12, DEBIAN),
    (&DEBIAN_13, DEBIAN),
    (&DEBIAN_SID, DEBIAN),
    (&DEBIAN_13_RPM, RPM),
];

/// A network of their own, where every port is free.
const ALONE: [&str; 6] =
    ["unshare", "--net", "sh", "-c", r#"ip link set lo up && exec "$@""#, "sh"];

/// Runs the steps in each system, and prints those that passed.
///
/// # Errors
/// There are no packages, a system cannot be built, or a step failed.
pub(crate) fn packages() -> Result<()> {
    debian::prepare(&needs::FOR_PACKAGES)?;
    let shell = Shell::new()?;
    shell.change_dir(akv_tests::modules::workspace());
    let built = target_folder(&shell)?.join("dist");
    let releaser = Releaser::new()?;
    let mut failed = Vec::new();
    let mut note = |name: &'static str, result: Result<()>| {
        if let Err(error) = result {
            println!("{name}: NOT PASSED: {error:#}");
            failed.push(name);
        }
    };
    for (suite, steps) in SYSTEMS {
        note(suite.name, check(suite, steps, &built, &releaser));
    }
    note("libakv-dev", development::check(&built));
    note("containers", containers::check(&built));
    if !failed.is_empty() {
        bail!("the packages do not work: {}", failed.join(", "));
    }
    Ok(())
}

fn check(suite: &'static Suite, steps: &str, built: &Path, releaser: &Releaser) -> Result<()> {
    let root = Root::open(suite)?;
    let shared = Shared::with([root.folder()])?;
    let mut count = 0;
    for entry in fs::read_dir(built).with_context(|| explain(built))? {
        let path = entry?.path();
        fs::copy(&path, shared.path().join(path.file_name().context("a name")?))?;
        count += 1;
    }
    ensure!(count > 0, "{}", explain(built));
    releaser.sign(shared.path())?;
    let (shell, folder) = (Shell::new()?, root.folder());
    let command = shared.command(&shell).args(ALONE).arg("chroot").arg(folder);
    let output = command.args(["sh", "-euc", steps, "sh"]).arg(shared.path());
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
