//! The tests that run with every version.

use std::path::PathBuf;

use akv_tests::{Installation, installation, modules};
use anyhow::{Result, bail};
use xshell::{Shell, cmd};

/// The check of the hand-written ABI against the headers, then the tests in `tests/` that use
/// nothing of the system's OpenSSL. The programs in `tests/hosts` are linked with the system's, so
/// their tests would show nothing new. The last is for the ENGINE, the one before for both, all
/// others for the provider.
pub(super) const NAMES: [&str; 5] =
    ["headers", "provider", "provider_tls", "key headers", "engine"];

/// Whether a suite applies to this version: 1.1.1 has no providers, 4.0 no engines.
fn concerns(suite: &str, version: &str) -> bool {
    match suite {
        "key headers" => true,
        "engine" => !version.starts_with("4."),
        _ => !version.starts_with("1."),
    }
}

/// Cases that fail at random because of OpenSSL itself: before 3.0.3, a hash table that was emptied
/// counts wrong from then on (CVE-2022-1473), and libcrypto loses fetched algorithms, including the
/// default provider's key management.
fn left_out(suite: &str, version: &str) -> &'static [&'static str] {
    match (suite, version) {
        ("provider", "3.0.0" | "3.0.1" | "3.0.2") => &[
            "contexts::one_context_has_the_provider_twice",
            "contexts::threads_are_the_first_to_use_a_context",
        ],
        _ => &[],
    }
}

/// The compiled tests.
pub(super) struct Suites {
    modules: PathBuf,
}

/// The number of cases of a suite, by result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) passed: u32,
    pub(super) failed: u32,
    pub(super) ignored: u32,
    /// Not run, because of a bug in OpenSSL.
    pub(super) left_out: u32,
}

/// The results of one version: its exact number, and the outcomes in the order of [`NAMES`]; `None`
/// for suites that do not apply to it.
pub(super) struct Report {
    pub(super) version: String,
    pub(super) outcomes: Vec<Option<Outcome>>,
}

impl Suites {
    pub(super) fn compile(modules: PathBuf) -> Result<Self> {
        let shell = Shell::new()?;
        shell.change_dir(modules::workspace());
        let cargo = modules::cargo();
        for suite in NAMES {
            cmd!(shell, "{cargo} test --quiet --no-run").args(arguments(suite)).quiet().run()?;
        }
        Ok(Self { modules })
    }

    /// Runs all suites, even after a failure.
    pub(super) fn run(&self, name: &str, openssl: &Installation) -> Result<Report> {
        let version = openssl.version()?;
        println!("== OpenSSL {version} ({name})");
        let run = |suite: &&'static str| {
            let run = || self.run_one(suite, openssl, left_out(suite, &version));
            concerns(suite, &version).then(run).transpose()
        };
        let outcomes = NAMES.iter().map(run).collect::<Result<_>>();
        Ok(Report { version, outcomes: outcomes? })
    }

    fn run_one(&self, suite: &str, openssl: &Installation, left_out: &[&str]) -> Result<Outcome> {
        let shell = Shell::new()?;
        shell.change_dir(modules::workspace());
        shell.set_var(modules::VARIABLE, &self.modules);
        shell.set_var(installation::VARIABLE, openssl.prefix().unwrap_or("".as_ref()));
        shell.set_var("OPENSSL_INCLUDE_DIRS", openssl.include().unwrap_or_default());
        let cargo = modules::cargo();
        let arguments = arguments(suite);
        let skips = left_out.iter().flat_map(|case| ["--skip", case]);
        let command = cmd!(shell, "{cargo} test --quiet --no-fail-fast").args(&arguments);
        let command = command.arg("--").args(skips);
        let output = command.quiet().ignore_status().output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let Some(mut outcome) = Outcome::read(&text) else {
            let errors = String::from_utf8_lossy(&output.stderr);
            bail!("`cargo test {}` did not run:\n{text}{errors}", arguments.join(" "));
        };
        outcome.left_out = u32::try_from(left_out.len())?;
        println!("{suite}: {outcome}");
        for case in left_out {
            println!(
                "skipped, since this OpenSSL loses algorithms at random (CVE-2022-1473): {case}"
            );
        }
        if !output.status.success() {
            println!("{}", text.trim());
        }
        Ok(outcome)
    }
}

fn arguments(suite: &str) -> Vec<&str> {
    match suite {
        "headers" => vec!["--package", "ossl-abi", "--lib", "header_tests"],
        "key headers" => vec!["--package", "legacy-abi", "--lib", "header_tests"],
        suite => vec!["--package", "akv-tests", "--test", suite],
    }
}

impl Outcome {
    /// Adds up the lines `test result: ok. 3 passed; 0 failed; 0 ignored; …`. `None` for a run
    /// without such a line, or in which no case ran.
    fn read(printed: &str) -> Option<Self> {
        let mut sum = Self::default();
        for line in printed.lines().filter(|line| line.starts_with("test result: ")) {
            let numbers = line.split(['.', ';']).map(str::trim);
            for (number, kind) in numbers.filter_map(|text| text.split_once(' ')) {
                let number = number.parse().unwrap_or(0);
                match kind {
                    "passed" => sum.passed += number,
                    "failed" => sum.failed += number,
                    "ignored" => sum.ignored += number,
                    _ => {}
                }
            }
        }
        (sum.passed + sum.failed > 0).then_some(sum)
    }

    /// Whether every case passed.
    pub(super) const fn is_good(self) -> bool {
        self.failed == 0 && self.ignored == 0
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed", self.passed)?;
        if self.failed > 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        if self.ignored > 0 {
            write!(f, ", {} ignored", self.ignored)?;
        }
        if self.left_out > 0 {
            write!(f, ", {} left out", self.left_out)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_read_from_what_the_tests_print() {
        let printed = "running 7 tests\n.....F\nfailures:\n\ntest result: FAILED. 5 passed; 1 failed; \
             1 ignored; 0 measured; 2 filtered out; finished in 1.20s\n";
        let outcome = Outcome::read(printed).expect("a result");
        assert_eq!(outcome, Outcome { passed: 5, failed: 1, ignored: 1, left_out: 0 });
        assert!(!outcome.is_good());
        assert_eq!(outcome.to_string(), "5 passed, 1 failed, 1 ignored");
        assert!(Outcome { passed: 3, ..Outcome::default() }.is_good());
    }

    #[test]
    fn suites_run_with_the_versions_that_they_are_for() {
        let of = |version| NAMES.iter().filter(|suite| concerns(suite, version)).count();
        assert_eq!([of("1.1.1w"), of("3.0.19"), of("4.0.3")], [2, NAMES.len(), NAMES.len() - 1]);
        assert!(concerns("engine", "1.1.1w"));
    }

    #[test]
    fn a_run_without_cases_fails() {
        assert_eq!(Outcome::read("error: could not compile"), None);
        let nothing = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out";
        assert_eq!(Outcome::read(nothing), None);
    }
}
