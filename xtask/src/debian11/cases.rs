//! Runs the cases: the tests in `tests/hosts/debian11`.

use std::path::Path;

use akv_tests::modules;
use anyhow::Result;
use xshell::{Shell, cmd};

use crate::{
    cases::{Case, Outcome},
    debian::{Root, Shared},
};

/// Their cargo arguments.
pub(crate) const TESTS: [&str; 4] = ["--package", "akv-tests", "--test", "hosts_debian11"];

/// A network namespace with only this machine, where the service's port and host names can be the
/// embedded vault's.
const ALONE: [&str; 6] =
    ["unshare", "--net", "sh", "-c", r#"ip link set lo up && exec "$@""#, "sh"];

/// Runs all, and prints a table.
///
/// # Errors
/// A case did not pass.
pub(super) fn run(root: &Root, built: &Path) -> Result<()> {
    let shell = Shell::new()?;
    shell.change_dir(modules::workspace());
    let cargo = modules::cargo();
    cmd!(shell, "{cargo} test --quiet --no-run {TESTS...}").quiet().run()?;
    let shared = Shared::with([root.folder()])?;
    let folder = shared.modules(built, "modules")?;
    let command = shared
        .command(&shell)
        .args(ALONE)
        .arg(cargo)
        .args(["test", "--quiet", "--offline"])
        .args(TESTS)
        // Without --quiet, for one line per case.
        .args(["--", "--format", "pretty"])
        .env(akv_tests::root::VARIABLE, root.folder())
        .env(modules::VARIABLE, &folder)
        .env("TMPDIR", shared.path());
    let outcome = Outcome::of(command.into())?;
    println!("\n{}", table(&outcome.cases, &root.versions()?));
    outcome.refuse_failures("on Debian 11")
}

/// The host's package, whose version is printed.
fn package(host: &str) -> &str {
    match host {
        "apache" => "apache2",
        "module" => "libc6",
        "node" => "nodejs",
        "stunnel" => "stunnel4",
        host => host,
    }
}

/// One line per case, as Markdown.
fn table(cases: &[Case], versions: &[(String, String)]) -> String {
    let mut text = "| host | version | case | result |\n|---|---|---|---|\n".to_owned();
    for Case { host, what, passed } in cases {
        let known = versions.iter().find(|(name, _)| name == package(host));
        let version = known.map_or("–", |(_, version)| version);
        let result = if *passed { "passed" } else { "NOT PASSED" };
        text.push_str(&format!("| {host} | {version} | {what} | {result} |\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_versions_of_packages() {
        let case = Case { host: "apache".into(), what: "serves".into(), passed: false };
        let text = table(&[case], &[("apache2".into(), "2.4".into())]);
        assert!(text.ends_with("| apache | 2.4 | serves | NOT PASSED |\n"), "{text}");
    }
}
