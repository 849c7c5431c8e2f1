//! A bar chart of a table: a group of bars for each row.

use maud::{Markup, html};

use super::{short, value};
use crate::{
    contender::{
        ALONE, ASYNC, BARE, BLOCKING, FULL, HANGING, IN_FRONT, LOCAL, NOT_HANGING, RESUMED,
    },
    model::{Cell, Row, Table, ratio},
};

const WIDTH: f64 = 380.0;
/// Room for the values to the right of the longest bar.
const VALUES: f64 = 170.0;
const BAR: f64 = 16.0;
const BETWEEN_BARS: f64 = 3.0;
const LABEL: f64 = 20.0;
const BETWEEN_GROUPS: f64 = 14.0;

/// The class of a contender's bars: it has the same color in all charts.
pub(super) fn class(contender: &str, index: usize) -> String {
    let number = match contender {
        LOCAL | BARE | NOT_HANGING => 0,
        BLOCKING | FULL | ALONE | HANGING => 1,
        ASYNC | RESUMED | IN_FRONT => 2,
        _ => index % 6,
    };
    format!("c{number}")
}

/// The drawing. It inherits its colors from the page.
pub(super) fn svg(table: &Table) -> Markup {
    let contenders = table.contenders();
    let cells = || table.rows.iter().flat_map(|row| &row.cells);
    let most = cells().map(|cell| cell.summary.high).fold(f64::MIN_POSITIVE, f64::max);
    let scale = (WIDTH - VALUES) / most;
    let group = |row: &Row| LABEL + row.cells.len() as f64 * (BAR + BETWEEN_BARS) + BETWEEN_GROUPS;
    let height: f64 = table.rows.iter().map(group).sum();
    let mut top = 0.0;
    let title = format!("{}, {}", table.caption, table.unit.name());
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {height:.0}")) role="img" aria-label=(title) {
            @for row in &table.rows {
                text.label x="0" y=(format!("{:.1}", top + LABEL - 6.0)) { (row.label) }
                @for (index, cell) in row.cells.iter().enumerate() {
                    @let at = contenders.iter().position(|name| *name == cell.contender);
                    @let y = top + LABEL + index as f64 * (BAR + BETWEEN_BARS);
                    (bar(table, (row, cell), at.unwrap_or(index), y, scale))
                }
                @let () = top += group(row);
            }
        }
    }
}

/// A bar, a line from the lowest to the highest round, and the value with a comparison.
fn bar(table: &Table, (row, cell): (&Row, &Cell), index: usize, y: f64, scale: f64) -> Markup {
    let summary = &cell.summary;
    let [low, width, high] =
        [summary.low, summary.median, summary.high].map(|value| format!("{:.1}", value * scale));
    let middle = format!("{:.1}", y + BAR / 2.0);
    let mut text = table.unit.format(summary.median);
    if let Some(first) = row.ratios.iter().find(|ratio| ratio.of == cell.contender) {
        text.push_str(&format!(" · {}× {}", ratio(first.summary.median), short(&first.to)));
    }
    html! {
        g class=(class(&cell.contender, index)) {
            title { (cell.contender) ": " (value(table.unit, summary)) }
            rect.bar x="0" y=(format!("{y:.1}")) width=(width) height=(BAR) rx="2" {}
            @if summary.high > summary.low {
                line.range x1=(low) y1=(middle) x2=(high) y2=(middle) {}
            }
            text.value x=(format!("{:.1}", summary.high * scale + 6.0)) y=(format!("{:.1}", y + 12.5)) {
                (text)
            }
        }
    }
}
