//! Tests of which only one command runs: what they print, and how they ended.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use akv_tests::modules;
use anyhow::{Context as _, Result, bail, ensure};

/// A case and how it ended, as the tests print it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Case {
    /// The module of the test.
    pub(crate) host: String,
    /// Its name, in words.
    pub(crate) what: String,
    pub(crate) passed: bool,
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

/// How a run ended.
pub(crate) struct Outcome {
    /// In order, although they run concurrently.
    pub(crate) cases: Vec<Case>,
    success: bool,
}

impl Outcome {
    /// Runs the tests, which print one line per case, and prints their output.
    ///
    /// # Errors
    /// They cannot be started.
    pub(crate) fn of(mut command: Command) -> Result<Self> {
        let mut child = command
            .current_dir(modules::workspace())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the tests")?;
        let mut cases = Vec::new();
        for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(|out| out.lines())
        {
            let line = line?;
            println!("{line}");
            cases.extend(Case::read(&line));
        }
        cases.sort();
        Ok(Self { cases, success: child.wait()?.success() })
    }

    /// Prints that all cases passed.
    ///
    /// # Errors
    /// A case did not pass, or none ran.
    pub(crate) fn refuse_failures(&self, where_run: &str) -> Result<()> {
        let Self { cases, success } = self;
        let failed = cases.iter().filter(|case| !case.passed).count();
        ensure!(!cases.is_empty(), "no case ran");
        if failed > 0 {
            bail!("{failed} of {} cases did not pass {where_run}", cases.len());
        }
        ensure!(success, "the tests stopped early: only {} cases completed", cases.len());
        println!("all {} cases passed", cases.len());
        Ok(())
    }
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
}
