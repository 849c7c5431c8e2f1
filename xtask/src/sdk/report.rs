//! The results that the programs report.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use anyhow::{Context as _, Result, ensure};
use roxmltree::Document;

use super::suite::Suite;

/// A case with its arguments, such as the sizes of keys.
#[derive(Debug, PartialEq, Eq)]
struct Case {
    subject: String,
    what: String,
    argument: Option<String>,
    passed: bool,
}

/// How often a case ran, and the arguments with which it did not pass.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    runs: usize,
    failed: Vec<String>,
}

/// The clients, and the result of each case.
#[derive(Default)]
pub(super) struct Report {
    clients: Vec<(String, String)>,
    /// By language, subject and case.
    outcomes: BTreeMap<(&'static str, String, String), Outcome>,
    /// Languages without a case that ran.
    silent: Vec<&'static str>,
}

impl Report {
    /// Parses the report of a language's programs; a missing one is not an error yet.
    pub(super) fn add(&mut self, suite: &Suite) -> Result<()> {
        self.clients.extend(suite.clients.iter().cloned());
        let text = fs::read_to_string(&suite.report).unwrap_or_default();
        let cases = match text.is_empty() {
            true => Vec::new(),
            false => cases(&text).with_context(|| format!("{:?}", suite.report))?,
        };
        if cases.is_empty() {
            self.silent.push(suite.language);
        }
        for Case { subject, what, argument, passed } in cases {
            let outcome = self.outcomes.entry((suite.language, subject, what)).or_default();
            outcome.runs += 1;
            if !passed {
                outcome.failed.push(argument.unwrap_or_default());
            }
        }
        Ok(())
    }

    /// A table of the clients and one of the cases, as Markdown.
    pub(super) fn text(&self) -> String {
        let mut text = "| client | version |\n|---|---|\n".to_owned();
        for (name, version) in &self.clients {
            let _ = writeln!(text, "| {name} | {version} |");
        }
        text.push_str("\n| language | subject | case | result |\n|---|---|---|---|\n");
        for ((language, subject, what), outcome) in &self.outcomes {
            let _ = writeln!(text, "| {language} | {subject} | {what} | {} |", outcome.text());
        }
        text
    }

    fn runs(&self) -> usize {
        self.outcomes.values().map(|outcome| outcome.runs).sum()
    }

    /// # Errors
    /// A case did not pass.
    pub(super) fn refuse_failures(&self) -> Result<()> {
        let failed: usize = self.outcomes.values().map(|outcome| outcome.failed.len()).sum();
        ensure!(failed == 0, "{failed} of {} cases did not pass", self.runs());
        Ok(())
    }

    /// How many cases ran.
    ///
    /// # Errors
    /// In one language no case ran.
    pub(super) fn all_ran(&self) -> Result<usize> {
        ensure!(self.silent.is_empty(), "no case ran in {}", self.silent.join(" and "));
        Ok(self.runs())
    }
}

impl Outcome {
    fn text(&self) -> String {
        match (self.runs, self.failed.len()) {
            (1, 0) => "passed".into(),
            (1, _) => "NOT PASSED".into(),
            (runs, 0) => format!("{runs} passed"),
            (runs, failed) => {
                format!("{failed} of {runs} NOT PASSED: {}", self.failed.join(", "))
            }
        }
    }
}

/// Parses a JUnit report of pytest or Node. Only passed cases have no child element: cases that
/// failed, broke or were skipped have one.
fn cases(xml: &str) -> Result<Vec<Case>> {
    let document = Document::parse(xml)?;
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
    cases
        .map(|case| {
            let name = case.attribute("name").context("a case without a name")?;
            // Node nests the cases of a subject; pytest contains the file name.
            let suite = case.parent().filter(|parent| parent.attribute("tests").is_some());
            let class = case.attribute("classname").unwrap_or_default();
            let subject = match class.strip_prefix("test_") {
                Some(file) => file,
                None => suite.and_then(|suite| suite.attribute("name")).unwrap_or(class),
            };
            let (what, argument) = match name.split_once('[') {
                Some((what, argument)) => (what, Some(argument.trim_end_matches(']'))),
                None => (name, None),
            };
            let bad = ["failure", "error", "skipped"];
            Ok(Case {
                subject: subject.replace('_', " "),
                what: what.trim_start_matches("test_").replace('_', " ").trim().to_owned(),
                argument: argument.map(str::to_owned),
                passed: !case
                    .children()
                    .any(|child| bad.iter().any(|bad| child.has_tag_name(*bad))),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(xml: &str) -> Vec<(String, String, Option<String>, bool)> {
        let cases = cases(xml).expect("a report");
        cases
            .into_iter()
            .map(|case| (case.subject, case.what, case.argument, case.passed))
            .collect()
    }

    #[test]
    fn the_reports_of_pytest_are_read() {
        let xml = r#"<testsuites><testsuite name="pytest" tests="3">
            <testcase classname="test_rsa" name="test_signs_a_digest[RS256-vault]" time="0.1"/>
            <testcase classname="test_rsa" name="test_is_refused"><failure message="no"/></testcase>
            <testcase classname="test_rsa" name="test_waits"><skipped message="no"/></testcase>
            </testsuite></testsuites>"#;
        let expected = [
            ("rsa", "signs a digest", Some("RS256-vault"), true),
            ("rsa", "is refused", None, false),
            ("rsa", "waits", None, false),
        ];
        let expected = expected.map(|(subject, what, argument, passed)| {
            (subject.to_owned(), what.to_owned(), argument.map(str::to_owned), passed)
        });
        assert_eq!(read(xml), expected);
    }

    #[test]
    fn the_reports_of_node_are_read() {
        let xml = r#"<testsuites><testsuite name="rsa" tests="2" failures="1">
            <testcase name="signs [RS256]" classname="test"/>
            <testcase name="is refused" classname="test" failure="no"><failure/></testcase>
            </testsuite></testsuites>"#;
        let rsa = || "rsa".to_owned();
        let expected = [
            (rsa(), "signs".to_owned(), Some("RS256".to_owned()), true),
            (rsa(), "is refused".to_owned(), None, false),
        ];
        assert_eq!(read(xml), expected);
        assert!(cases("<testsuites>").is_err());
    }

    #[test]
    fn one_row_lists_what_did_not_pass() {
        let mut report = Report::default();
        let key = ("Python", "rsa".to_owned(), "signs".to_owned());
        report.outcomes.insert(key.clone(), Outcome { runs: 3, failed: vec![] });
        assert!(report.refuse_failures().is_ok());
        assert_eq!(report.all_ran().expect("some ran"), 3);
        assert!(report.text().ends_with("| Python | rsa | signs | 3 passed |\n"));
        report.outcomes.insert(key, Outcome { runs: 3, failed: vec!["PS256".into()] });
        let error = report.refuse_failures().expect_err("one failed");
        assert_eq!(error.to_string(), "1 of 3 cases did not pass");
        assert!(report.text().ends_with("| 1 of 3 NOT PASSED: PS256 |\n"), "{}", report.text());
        report.silent.push("JavaScript");
        assert!(report.all_ran().is_err());
    }
}
