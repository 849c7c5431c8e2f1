//! Tables for the terminal.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::{Entry, milliseconds};
use crate::case::Outcome;

/// Wide enough for a request id beside a few words.
const WIDTH: u16 = 120;

/// Every case, with the median time of its operations and its total time.
pub(super) fn all(entries: &[Entry]) -> Table {
    let mut table = table(["target", "through", "case", "result", "operation, ms", "case, ms"]);
    for entry in entries {
        let median = entry.median().map_or_else(|| "–".into(), |time| number(milliseconds(time)));
        table.add_row([
            entry.target.to_owned(),
            entry.front.to_string(),
            entry.name.clone(),
            match entry.outcome {
                Outcome::Passed => "passed",
                Outcome::Failed { .. } => "FAILED",
                Outcome::NotRun { .. } => "not run",
            }
            .to_owned(),
            median,
            number(milliseconds(entry.took)),
        ]);
    }
    for column in [4, 5] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// The cases that did not pass, with the service's request ids; `None` if there are none.
pub(super) fn failures(entries: &[Entry]) -> Option<Table> {
    let mut table = table(["target", "through", "case", "request id", "why"]);
    for entry in entries.iter().filter(|entry| !entry.passed()) {
        let (why, id) = match &entry.outcome {
            Outcome::Passed => continue,
            Outcome::Failed { why, request_id } => (why, request_id.as_deref()),
            Outcome::NotRun { why } => (why, None),
        };
        table.add_row([
            entry.target,
            &entry.front.to_string(),
            &entry.name,
            id.unwrap_or("–"),
            why,
        ]);
    }
    (table.row_iter().next().is_some()).then_some(table)
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::ASCII_MARKDOWN)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH)
        .set_header(header);
    table
}

fn number(value: f64) -> String {
    format!("{value:.1}")
}
