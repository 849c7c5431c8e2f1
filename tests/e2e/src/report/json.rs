//! JSON, for programs that compare runs.

use anyhow::Result;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::{Entry, Report, milliseconds};
use crate::case::Outcome;

pub(super) fn text(report: &Report) -> Result<String> {
    let value = json!({
        "started": report.started.format(&Rfc3339)?,
        "passed": report.is_good(),
        "cases": report.entries.iter().map(entry).collect::<Vec<_>>(),
    });
    Ok(format!("{value:#}\n"))
}

fn entry(entry: &Entry) -> Value {
    let (result, why, request_id) = match &entry.outcome {
        Outcome::Passed => ("passed", None, None),
        Outcome::Failed { why, request_id } => ("failed", Some(why), request_id.as_ref()),
        Outcome::NotRun { why } => ("not-run", Some(why), None),
    };
    let ends = entry.operations.first().zip(entry.operations.last());
    json!({
        "target": entry.target,
        "through": entry.front.to_string(),
        "case": entry.name,
        "result": result,
        "why": why,
        "request_id": request_id,
        "milliseconds": milliseconds(entry.took),
        "operations": ends.map(|(least, most)| json!({
            "number": entry.operations.len(),
            "least": milliseconds(*least),
            "median": entry.median().map(milliseconds),
            "most": milliseconds(*most),
        })),
    })
}
