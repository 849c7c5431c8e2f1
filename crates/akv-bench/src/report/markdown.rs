//! Tables for the terminal and for documents.

use std::fmt::Write as _;

use super::{comparison, ratio_with_range, value};
use crate::model::{Goal, Report, Section, Table};

/// Everything.
pub(crate) fn report(report: &Report) -> String {
    let mut text = String::from("# Handshakes and signatures\n\n");
    for (name, value) in report.machine.properties() {
        let _ = writeln!(text, "- {name}: {value}");
    }
    let _ = writeln!(text, "- sources: {}, {}", report.run.commit, report.run.started);
    for caveat in &report.run.caveats {
        let _ = writeln!(text, "- **{caveat}**");
    }
    text.push_str(&goals(&report.goals));
    for part in &report.sections {
        text.push('\n');
        text.push_str(&section(part));
    }
    text
}

fn goals(goals: &[Goal]) -> String {
    let mut text = String::from("\n| figure | to reach | measured | |\n|---|---|---|---|\n");
    for goal in goals {
        let measured = goal.measured.as_ref().map_or_else(|| "–".to_owned(), ratio_with_range);
        let verdict = match goal.is_reached() {
            Some(true) => "reached",
            Some(false) => "NOT REACHED",
            None => "not measured",
        };
        let (figure, bound) = (&goal.figure, goal.bound.text());
        let _ = writeln!(text, "| {figure} | {bound} | {measured} | {verdict} |");
    }
    text
}

/// One section.
pub(crate) fn section(section: &Section) -> String {
    let mut text = format!("## {}\n", section.title);
    for paragraph in &section.text {
        let _ = write!(text, "\n{paragraph}\n");
    }
    if let Some(reason) = &section.missing {
        let _ = write!(text, "\nNot measured: {reason}\n");
    }
    for part in &section.tables {
        text.push('\n');
        text.push_str(&table(part));
    }
    text
}

fn table(table: &Table) -> String {
    let (contenders, comparisons) = (table.contenders(), table.comparisons());
    let mut text = format!("{}, {}:\n\n| |", table.caption, table.unit.name());
    for name in &contenders {
        let _ = write!(text, " {name} |");
    }
    for pair in &comparisons {
        let _ = write!(text, " {} |", comparison(*pair));
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(contenders.len() + comparisons.len()));
    text.push('\n');
    for row in &table.rows {
        let _ = write!(text, "| {} |", row.label);
        for name in &contenders {
            let cell = row.cell(name).map(|cell| value(table.unit, &cell.summary));
            let _ = write!(text, " {} |", cell.as_deref().unwrap_or("–"));
        }
        for (of, to) in &comparisons {
            let ratio = row.ratio(of, to).map(|ratio| ratio_with_range(&ratio.summary));
            let _ = write!(text, " {} |", ratio.as_deref().unwrap_or("–"));
        }
        text.push('\n');
    }
    text
}
