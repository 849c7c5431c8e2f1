//! The figures that the project wants to reach.

use serde::{Deserialize, Serialize};

use super::{Report, Summary};
use crate::contender::{
    ASYNC, BARE, BLOCKING, CHECKED, HANGING, LOCAL, NOT_HANGING, NOT_HIT, UNCHECKED,
};

/// A figure, what it is to reach, and what was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Goal {
    pub(crate) figure: String,
    pub(crate) bound: Bound,
    /// `None` if this run did not measure it.
    pub(crate) measured: Option<Summary>,
}

/// The side of the limit that is good.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    /// Whether the median of what was measured is on the good side.
    pub(crate) fn is_reached(&self) -> Option<bool> {
        let median = self.measured?.median;
        Some(match self.bound {
            Bound::AtLeast(limit) => median >= limit,
            Bound::AtMost(limit) => median <= limit,
        })
    }

    /// All goals, with the figures of a report.
    pub(crate) fn of(report: &Report) -> Vec<Self> {
        let ratio = |section, table, label, of, to| {
            let row = report.section(section)?.table(table)?.row(label)?;
            Some(row.ratio(of, to)?.summary)
        };
        let value = |section, table, label, contender| {
            let row = report.section(section)?.table(table)?.row(label)?;
            Some(row.cell(contender)?.summary)
        };
        // The worst of all rows.
        let worst = |section: &str, table: &str, of: &str, to: &str| {
            let rows = &report.section(section)?.table(table)?.rows;
            let all = rows.iter().filter_map(|row| Some(row.ratio(of, to)?.summary));
            all.max_by(|left, right| left.median.total_cmp(&right.median))
        };
        // Of all rounds and rows.
        let total = |section: &str, table: &str, contender: &str| {
            let rows = &report.section(section)?.table(table)?.rows;
            let cells = rows.iter().filter_map(|row| row.cell(contender));
            Some(Summary::of(&[cells.flat_map(|cell| &cell.rounds).sum()]))
        };
        let small = |of, to| ratio("epoll", "30-ms", "64 clients", of, to);
        let haproxy = |of, to| ratio("haproxy-debian13", "30-ms", "64 clients", of, to);
        let rsa = value("epoll-rsa", "30-ms", "64 clients", ASYNC);
        let hang = |id| ratio("hanging", id, "p99", HANGING, NOT_HANGING);
        let p99 = [hang("vault"), hang("managed-hsm")].into_iter().flatten();
        let p99 = p99.max_by(|left, right| left.median.total_cmp(&right.median));
        let failed = total("hanging", "failed", NOT_HIT);
        let goal =
            |figure: &str, bound, measured| Self { figure: figure.to_owned(), bound, measured };
        let here = "small server, 30 ms, 64 clients";
        let there = "HAProxy 3, one thread, 30 ms, 64 clients";
        vec![
            goal(
                &format!("{here}: async over blocking"),
                Bound::AtLeast(30.0),
                small(ASYNC, BLOCKING),
            ),
            goal(
                &format!("{here}: async over a local key"),
                Bound::AtLeast(0.7),
                small(ASYNC, LOCAL),
            ),
            goal(
                &format!("{there}: async over blocking"),
                Bound::AtLeast(25.0),
                haproxy(ASYNC, BLOCKING),
            ),
            goal(
                &format!("{there}: async over a local key"),
                Bound::AtLeast(0.6),
                haproxy(ASYNC, LOCAL),
            ),
            goal(
                "one thread, RSA-2048 of a Managed HSM, 30 ms: handshakes per second",
                Bound::AtLeast(900.0),
                rsa,
            ),
            goal(
                "one answer in ten hangs: p99 of the other handshakes, over that when none hangs",
                Bound::AtMost(1.5),
                p99,
            ),
            goal("one answer in ten hangs: other handshakes that fail", Bound::AtMost(0.0), failed),
            goal(
                "warm EVP_DigestSign with the local check, 5 ms: p50 over a bare client's",
                Bound::AtMost(1.03),
                worst("signatures", "latency", CHECKED, BARE),
            ),
            goal(
                "warm EVP_DigestSign without the local check, 5 ms: p50 over a bare client's",
                Bound::AtMost(1.03),
                worst("signatures", "latency", UNCHECKED, BARE),
            ),
            goal(
                "warm EVP_DigestSign without the local check: processor time over a bare client's",
                Bound::AtMost(2.0),
                worst("signatures", "cpu", UNCHECKED, BARE),
            ),
        ]
    }
}

impl Bound {
    pub(crate) fn text(self) -> String {
        match self {
            Self::AtLeast(limit) => format!("≥ {limit}"),
            Self::AtMost(limit) => format!("≤ {limit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_decides() {
        let goal = |bound, median| {
            let measured = Some(Summary { median, low: 0.0, high: 100.0 });
            Goal { figure: String::new(), bound, measured }.is_reached()
        };
        assert_eq!(goal(Bound::AtLeast(30.0), 30.0), Some(true));
        assert_eq!(goal(Bound::AtLeast(30.0), 29.9), Some(false));
        assert_eq!(goal(Bound::AtMost(1.5), 1.51), Some(false));
        assert_eq!(goal(Bound::AtMost(1.5), 1.49), Some(true));
    }
}
