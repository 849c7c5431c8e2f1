//! One page without scripts and without anything from elsewhere. It is well-formed XML as well.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{chart, comparison, overview, ratio_with_range, value};
use crate::model::{Goal, Report, Section, Table};

const STYLE: &str = include_str!("style.css");

/// Elements without an end tag, which XML does not know.
const META: &str = r#"<meta charset="utf-8"/><meta name="viewport" content="width=device-width"/>"#;

/// The page.
pub(crate) fn html(report: &Report) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                (PreEscaped(META))
                title { "Handshakes and signatures with keys in a vault" }
                style { (PreEscaped(STYLE)) }
            }
            body { main {
                (head(report))
                @if let Some(table) = overview::table(report) {
                    section {
                        h2 { "Waiting for a vault, or not" }
                        p.soft { "TLS 1.3 handshakes per second of servers with one thread; "
                            (table.caption) "." }
                        (legend(&table))
                        div.charts { (chart::svg(&table)) }
                    }
                }
                (goals(&report.goals))
                @for part in &report.sections { (section(part)) }
            } }
        }
    };
    page.into_string()
}

fn head(report: &Report) -> Markup {
    let run = &report.run;
    html! {
        h1 { "Handshakes and signatures with keys in a vault" }
        p.soft {
            "All figures are of one run on one machine. Contenders take turns, "
            (run.rounds) " rounds of " (run.seconds) " s each; a figure is the median of the rounds. "
            "The thin line in a bar goes from the lowest to the highest round, and ± is the largest "
            "difference from the median. Ratios are taken round by round."
        }
        @for caveat in &run.caveats { p.caveat { (caveat) } }
        dl {
            @for (name, value) in report.machine.properties() { dt { (name) } dd { (value) } }
            dt { "sources" } dd { (run.commit) }
            dt { "run" } dd { (run.started) ", " (format!("{:.0}", run.minutes)) " minutes" }
        }
        nav {
            @for part in &report.sections { a href=(format!("#{}", part.id)) { (part.title) } }
        }
    }
}

fn goals(goals: &[Goal]) -> Markup {
    html! {
        section {
            h2 { "Goals" }
            div.wide { table.goals {
                thead { tr { th { "figure" } th { "to reach" } th { "measured" } th {} } }
                tbody { @for goal in goals { tr {
                    td { (goal.figure) }
                    td { (goal.bound.text()) }
                    td { (goal.measured.as_ref().map_or_else(|| "–".to_owned(), ratio_with_range)) }
                    (verdict(goal))
                } } }
            } }
        }
    }
}

fn verdict(goal: &Goal) -> Markup {
    match goal.is_reached() {
        Some(true) => html! { td.yes { "✓ reached" } },
        Some(false) => html! { td.no { "✗ not reached" } },
        None => html! { td.soft { "not measured" } },
    }
}

fn section(section: &Section) -> Markup {
    html! {
        section id=(section.id) {
            h2 { (section.title) }
            @for paragraph in &section.text { p.soft { (paragraph) } }
            @if let Some(reason) = &section.missing { p.caveat { "Not measured: " (reason) } }
            @let first = section.tables.first();
            @if let Some(first) = first { (legend(first)) }
            div.charts {
                @for table in &section.tables {
                    div {
                        @if first.is_some_and(|one| one.contenders() != table.contenders()) {
                            (legend(table))
                        }
                        h3 { (table.caption) ", " (table.unit.name())
                            @if !table.unit.is_rate() { " (less is better)" } }
                        (chart::svg(table))
                    }
                }
            }
            @if !section.tables.is_empty() {
                details {
                    summary { "The figures" }
                    @for part in &section.tables { (table(part)) }
                }
            }
        }
    }
}

fn legend(table: &Table) -> Markup {
    html! {
        ul.legend {
            @for (index, name) in table.contenders().into_iter().enumerate() {
                li { span class=(format!("swatch {}", chart::class(name, index))) {} (name) }
            }
        }
    }
}

fn table(table: &Table) -> Markup {
    let (contenders, comparisons) = (table.contenders(), table.comparisons());
    html! {
        div.wide { table {
            caption { (table.caption) ", " (table.unit.name()) }
            thead { tr {
                th {}
                @for name in &contenders { th { (name) } }
                @for pair in &comparisons { th { (comparison(*pair)) } }
            } }
            tbody { @for row in &table.rows { tr {
                th { (row.label) }
                @for name in &contenders {
                    td { @match row.cell(name) {
                        Some(cell) => (value(table.unit, &cell.summary)),
                        None => "–",
                    } }
                }
                @for (of, to) in &comparisons {
                    td { @match row.ratio(of, to) {
                        Some(ratio) => (ratio_with_range(&ratio.summary)),
                        None => "–",
                    } }
                }
            } } }
        } }
    }
}
