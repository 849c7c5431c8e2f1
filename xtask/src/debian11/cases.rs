//! Runs the cases: the tests in `tests/hosts/debian11`.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

use akv_tests::modules;
use anyhow::{Context as _, Result, bail, ensure};
use xshell::{Shell, cmd};

use super::root::{Root, mount_point};

/// Their cargo arguments.
pub(crate) const TESTS: [&str; 4] = ["--package", "akv-tests", "--test", "hosts_debian11"];

/// A network namespace with only this machine, where the service's port and host names can be the
/// embedded vault's.
const ALONE: [&str; 6] =
    ["unshare", "--net", "sh", "-c", r#"ip link set lo up && exec "$@""#, "sh"];

/// A case and how it ended, as the tests print it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Case {
    host: String,
    what: String,
    passed: bool,
}

impl Case {
    /// Parses `test nginx::serves_this ... ok`.
    fn read(line: &str) -> Option<Self> {
        let (name, result) = line.strip_prefix("test ")?.split_once(" ... ")?;
        let (host, what) = name.split_once("::")?;
        let what = what.replace('_', " ");
        Some(Self { host: host.to_owned(), what, passed: result == "ok" })
    }
}

/// Runs all, and prints a table.
///
/// # Errors
/// A case did not pass.
pub(super) fn run(root: &Root, built: &Path) -> Result<()> {
    let shell = Shell::new()?;
    shell.change_dir(modules::workspace());
    let cargo = modules::cargo();
    cmd!(shell, "{cargo} test --quiet --no-run {TESTS...}").quiet().run()?;
    // Everything that the two systems share, at the same path in both.
    let shared = tempfile::Builder::new().prefix("akv-hosts-").tempdir_in("/tmp")?;
    // Servers that give up root read it.
    fs::set_permissions(shared.path(), fs::Permissions::from_mode(0o711))?;
    let folder = shared.path().join("modules");
    fs::create_dir(&folder)?;
    for name in ["akv_provider.so", "e_akv.so"] {
        fs::copy(built.join(name), folder.join(name))?;
    }
    let place = mount_point(root.folder(), shared.path())?;
    let command = root
        .beside(&shell, shared.path())
        .args(ALONE)
        .arg(cargo)
        .args(["test", "--quiet", "--offline"])
        .args(TESTS)
        // Without --quiet, for one line per case.
        .args(["--", "--format", "pretty"])
        .env(akv_tests::root::VARIABLE, root.folder())
        .env(modules::VARIABLE, &folder)
        .env("TMPDIR", shared.path());
    let outcome = watch(command.into(), modules::workspace());
    fs::remove_dir(place)?;
    let (mut cases, success) = outcome?;
    // They run concurrently.
    cases.sort();
    println!("\n{}", table(&cases, &root.versions()?));
    let failed = cases.iter().filter(|case| !case.passed).count();
    ensure!(!cases.is_empty(), "no case ran");
    if failed > 0 {
        bail!("{failed} of {} cases did not pass on Debian 11", cases.len());
    }
    ensure!(success, "the tests stopped early: only {} cases completed", cases.len());
    println!("all {} cases passed", cases.len());
    Ok(())
}

/// Prints the tests' output, and parses the cases in it.
fn watch(mut command: Command, folder: &Path) -> Result<(Vec<Case>, bool)> {
    let mut child = command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the tests")?;
    let mut cases = Vec::new();
    for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
        let line = line?;
        println!("{line}");
        cases.extend(Case::read(&line));
    }
    Ok((cases, child.wait()?.success()))
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
    fn cases_are_read_from_what_the_tests_print() {
        let line = "test nginx::serves_with_a_key_file ... ok";
        let case = Case::read(line).expect("a case");
        assert_eq!((case.host.as_str(), case.passed), ("nginx", true));
        assert_eq!(case.what, "serves with a key file");
        for (result, passed) in [("FAILED", false), ("ignored", false), ("ok", true)] {
            let case = Case::read(&format!("test curl::a ... {result}")).expect("a case");
            assert_eq!(case.passed, passed, "{result}");
        }
        for line in ["running 19 tests", "test result: ok. 3 passed", "---- curl::a stdout ----"] {
            assert_eq!(Case::read(line), None);
        }
    }

    #[test]
    fn the_table_has_the_versions_of_packages() {
        let case = Case { host: "apache".into(), what: "serves".into(), passed: false };
        let text = table(&[case], &[("apache2".into(), "2.4".into())]);
        assert!(text.ends_with("| apache | 2.4 | serves | NOT PASSED |\n"), "{text}");
    }
}
