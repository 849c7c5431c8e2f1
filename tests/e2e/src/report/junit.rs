//! JUnit XML for continuous integration: one suite for each target.

use anyhow::Result;
use quick_junit::{NonSuccessKind, Report as Xml, TestCase, TestCaseStatus, TestSuite};

use super::{Entry, Report};
use crate::case::Outcome;

pub(super) fn text(report: &Report) -> Result<String> {
    let mut xml = Xml::new("akv-e2e");
    for target in ["vault", "hsm"] {
        let entries: Vec<&Entry> =
            report.entries.iter().filter(|entry| entry.target == target).collect();
        if entries.is_empty() {
            continue;
        }
        let mut suite = TestSuite::new(target);
        for entry in entries {
            let mut case = TestCase::new(entry.name.clone(), status(&entry.outcome));
            case.set_classname(format!("{target}.{}", entry.front)).set_time(entry.took);
            suite.add_test_case(case);
        }
        xml.add_test_suite(suite);
    }
    Ok(xml.to_string()?)
}

/// A case that could not run is an error and not skipped: readers treat skipped cases as success.
fn status(outcome: &Outcome) -> TestCaseStatus {
    let (kind, why, description) = match outcome {
        Outcome::Passed => return TestCaseStatus::success(),
        Outcome::Failed { why, request_id } => (NonSuccessKind::Failure, why, request_id.clone()),
        Outcome::NotRun { why } => (NonSuccessKind::Error, why, None),
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(why.clone());
    status.set_type(match kind {
        NonSuccessKind::Failure => "failed",
        NonSuccessKind::Error => "not-run",
    });
    if let Some(id) = description {
        status.set_description(format!("request id {id}"));
    }
    status
}
