//! The table, and the verdict.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cost::{Cost, median};

/// The role of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The reference for the others.
    Reference,
    /// Its ratio is checked against the limits.
    Limited,
    /// Its ratio is only printed.
    Stated,
}

/// The costs of one contender.
pub(crate) struct Row {
    name: &'static str,
    role: Role,
    costs: Vec<Cost>,
}

impl Row {
    pub(crate) fn new(name: &'static str, role: Role) -> Self {
        Self { name, role, costs: Vec::new() }
    }

    pub(crate) fn add(&mut self, cost: Cost) {
        self.costs.push(cost);
    }

    fn cpu(&self) -> Duration {
        median(&mut self.costs.iter().map(|cost| cost.cpu).collect::<Vec<_>>())
    }

    fn latency(&self) -> Duration {
        median(&mut self.costs.iter().map(|cost| cost.latency).collect::<Vec<_>>())
    }
}

/// The cost of a contender relative to the reference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ratio {
    cpu: f64,
    latency: f64,
}

impl Ratio {
    pub(crate) fn max(self, other: Self) -> Self {
        Self { cpu: self.cpu.max(other.cpu), latency: self.latency.max(other.latency) }
    }
}

/// Prints a table and returns the worst ratio of the rows with limits.
pub(crate) fn print(title: &str, rows: &[Row]) -> Ratio {
    println!("\n{title}");
    println!("{:<38} {:>10} {:>7} {:>12} {:>7}", "", "CPU", "ratio", "p50 latency", "ratio");
    let reference = rows.iter().find(|row| row.role == Role::Reference);
    let mut worst = Ratio { cpu: 0.0, latency: 0.0 };
    for row in rows {
        let (cpu, latency) = (row.cpu(), row.latency());
        let ratio = reference.map_or(Ratio { cpu: 1.0, latency: 1.0 }, |reference| Ratio {
            cpu: cpu.as_secs_f64() / reference.cpu().as_secs_f64(),
            latency: latency.as_secs_f64() / reference.latency().as_secs_f64(),
        });
        println!(
            "{:<38} {:>7.1} µs {:>6.2}× {:>9.3} ms {:>6.3}×",
            row.name,
            cpu.as_secs_f64() * 1e6,
            ratio.cpu,
            latency.as_secs_f64() * 1e3,
            ratio.latency
        );
        if row.role == Role::Limited {
            worst = worst.max(ratio);
        }
    }
    worst
}

/// Checks that the worst ratios are below the limits, if there are any.
pub(crate) fn check(worst: Option<Ratio>, limits: Option<&[f64]>) -> Result<()> {
    let (Some(worst), Some([cpu, latency])) = (worst, limits) else { return Ok(()) };
    ensure!(
        worst.cpu <= *cpu && worst.latency <= *latency,
        "the worst ratios are {:.2}× CPU time (limit {cpu}×) and {:.3}× latency (limit {latency}×)",
        worst.cpu,
        worst.latency
    );
    println!("\nwithin the limits of {cpu}× CPU time and {latency}× latency");
    Ok(())
}
