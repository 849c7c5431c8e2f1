//! The tables of capacity are computed from the limits beside them.

use akv_tests::modules;
use anyhow::{Context as _, Result, ensure};

/// The rows of the tables under a heading, as cells.
fn rows(heading: &str) -> Result<Vec<Vec<String>>> {
    let text = std::fs::read_to_string(modules::workspace().join("docs/operations.md"))?;
    let section = text.split("\n### ").find(|section| section.starts_with(heading));
    let lines = section.context("the section")?.lines().filter(|line| line.starts_with('|'));
    let cells =
        |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    Ok(lines.skip(2).map(cells).collect())
}

fn number(cell: &str) -> Result<u64> {
    cell.parse().with_context(|| format!("{cell:?} is no number"))
}

/// What must be in flight for a rate, if each takes so many milliseconds.
const fn in_flight(rate: u64, millis: u64) -> u64 {
    (rate * millis).div_ceil(1000)
}

#[test]
fn capacity_of_vaults_follows_from_the_limits() -> Result<()> {
    let rows = rows("Vaults")?;
    ensure!(rows.len() == 6, "{rows:?}");
    for row in rows {
        let [limit, rate, short, long] = [2, 3, 4, 5].map(|column| number(&row[column]));
        let (limit, rate) = (limit?, rate?);
        ensure!(rate == limit / 10, "{row:?}");
        ensure!((short?, long?) == (in_flight(rate, 15), in_flight(rate, 30)), "{row:?}");
    }
    Ok(())
}

#[test]
fn capacity_of_hsms_follows_from_the_figures() -> Result<()> {
    let rows = rows("Managed HSMs")?;
    ensure!(rows.len() == 6, "{rows:?}");
    for row in rows {
        let [rate, short, long] = [1, 2, 3].map(|column| number(&row[column]));
        let rate = rate?;
        ensure!((short?, long?) == (in_flight(rate, 15), in_flight(rate, 30)), "{row:?}");
    }
    Ok(())
}
