//! The reports of a run: Markdown, JSON, and HTML with charts.

mod chart;
mod html;
mod markdown;
mod overview;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};

pub(crate) use self::{
    html::html,
    markdown::{report as markdown, section as markdown_section},
};
use crate::model::{FORMAT, Report, Summary, Unit, ratio};

/// Reads a report in JSON.
pub(crate) fn read(file: &Path) -> Result<Report> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {file:?}"))?;
    let report: Report = serde_json::from_str(&text).with_context(|| format!("{file:?}"))?;
    ensure!(report.format == FORMAT, "{file:?} has format {}, not {FORMAT}", report.format);
    Ok(report)
}

/// Writes JSON and HTML into a folder, and returns their paths.
pub(crate) fn write(report: &Report, folder: &Path) -> Result<[PathBuf; 2]> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {folder:?}"))?;
    let (json, page) = (folder.join("report.json"), folder.join("report.html"));
    fs::write(&json, serde_json::to_string_pretty(report)? + "\n")?;
    fs::write(&page, html(report))?;
    Ok([json, page])
}

/// A measurement with its spread.
fn value(unit: Unit, summary: &Summary) -> String {
    match summary.spread() {
        Some(spread) => format!("{} ±{spread:.0}%", unit.format(summary.median)),
        None => unit.format(summary.median),
    }
}

/// A ratio with its extremes.
fn ratio_with_range(summary: &Summary) -> String {
    if summary.high > summary.low {
        let [low, high] = [summary.low, summary.high].map(ratio);
        format!("{} ({low}–{high})", ratio(summary.median))
    } else {
        ratio(summary.median)
    }
}

/// The title of a column with ratios.
fn comparison((of, to): (&str, &str)) -> String {
    format!("{} / {}", short(of), short(to))
}

/// A contender's name without what is clear from the others'.
fn short(contender: &str) -> &str {
    contender.strip_prefix("vault, ").unwrap_or(contender)
}

#[cfg(test)]
mod tests;
