//! Reports of the results: a table, JUnit XML and JSON.

mod json;
mod junit;
mod table;

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, Result};
use time::OffsetDateTime;

use crate::case::{Case, Front, Outcome, Stopwatch};

/// The result of one case.
pub(crate) struct Entry {
    /// `vault` or `hsm`.
    target: &'static str,
    front: Front,
    name: String,
    outcome: Outcome,
    took: Duration,
    /// The times of its operations, sorted.
    operations: Vec<Duration>,
}

impl Entry {
    pub(crate) fn new(
        target: &'static str,
        case: &Case,
        outcome: Outcome,
        took: Duration,
        watch: Stopwatch,
    ) -> Self {
        let (front, name) = (case.front, case.name.clone());
        Self { target, front, name, outcome, took, operations: watch.sorted() }
    }

    fn passed(&self) -> bool {
        matches!(self.outcome, Outcome::Passed)
    }

    /// The median time of its operations.
    fn median(&self) -> Option<Duration> {
        self.operations.get(self.operations.len() / 2).copied()
    }

    /// One line, printed as soon as the case has ended.
    pub(crate) fn progress(&self) -> String {
        let Self { target, front, name, .. } = self;
        match &self.outcome {
            Outcome::Passed => format!("{target} {front} {name}: passed"),
            Outcome::Failed { why, .. } => format!("{target} {front} {name}: FAILED: {why}"),
            Outcome::NotRun { why } => format!("{target} {front} {name}: not run: {why}"),
        }
    }
}

/// All results.
pub(crate) struct Report {
    started: OffsetDateTime,
    entries: Vec<Entry>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self { started: OffsetDateTime::now_utc(), entries: Vec::new() }
    }

    pub(crate) fn add(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Whether every case passed; a case that did not run has not.
    pub(crate) fn is_good(&self) -> bool {
        !self.entries.is_empty() && self.entries.iter().all(Entry::passed)
    }

    /// Prints the tables and the verdict.
    pub(crate) fn print(&self) {
        println!("\n{}\n", table::all(&self.entries));
        if let Some(failures) = table::failures(&self.entries) {
            println!("{failures}\n");
        }
        let number = |holds: fn(&Outcome) -> bool| {
            self.entries.iter().filter(|entry| holds(&entry.outcome)).count()
        };
        println!(
            "{} passed, {} failed, {} not run",
            number(|outcome| matches!(outcome, Outcome::Passed)),
            number(|outcome| matches!(outcome, Outcome::Failed { .. })),
            number(|outcome| matches!(outcome, Outcome::NotRun { .. })),
        );
    }

    /// Writes `junit.xml` and `report.json`.
    ///
    /// # Errors
    /// The folder or a file cannot be written.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let write = |file: &str, text: String| {
            let path = folder.join(file);
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
        };
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        write("junit.xml", junit::text(self)?)?;
        write("report.json", json::text(self)?)?;
        println!("reports: {}", folder.display());
        Ok(())
    }
}

/// Milliseconds, with one significant decimal digit.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}
