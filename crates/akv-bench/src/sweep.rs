//! Contenders under the same conditions: they take turns, so that other load on the machine affects
//! all alike.

use std::time::Duration;

use akv_emulator::{Emulator, Latency};
use anyhow::{Context as _, Result};

use crate::model::{Row, Table, Unit};

/// A contender.
pub(crate) struct Contender<M> {
    pub(crate) name: &'static str,
    /// Others do not depend on the vault's latency, and are measured once for all.
    pub(crate) uses_vault: bool,
    pub(crate) how: M,
}

/// What is measured: a table for each latency of the vault, a row for each point.
pub(crate) struct Sweep<'a, P, M> {
    pub(crate) name: &'a str,
    pub(crate) vault: &'a Emulator,
    pub(crate) unit: Unit,
    pub(crate) rounds: usize,
    /// Milliseconds.
    pub(crate) latencies: &'a [u64],
    pub(crate) points: Vec<(String, P)>,
    pub(crate) contenders: Vec<Contender<M>>,
    pub(crate) ratios: &'a [(&'a str, &'a str)],
}

/// The rounds of each contender at each point with each latency.
type Samples = Vec<Vec<Vec<Vec<f64>>>>;

impl<P, M> Sweep<'_, P, M> {
    /// Measures everything with `measure`.
    pub(crate) fn run(&self, measure: impl Fn(&P, &M) -> Result<f64>) -> Result<Vec<Table>> {
        let (points, contenders) = (self.points.len(), self.contenders.len());
        let mut samples: Samples =
            vec![vec![vec![Vec::new(); contenders]; points]; self.latencies.len()];
        for round in 1..=self.rounds {
            for (at, (label, point)) in self.points.iter().enumerate() {
                for (index, contender) in self.contenders.iter().enumerate() {
                    let once = if contender.uses_vault { self.latencies.len() } else { 1 };
                    for (which, latency) in self.latencies.iter().enumerate().take(once) {
                        set_latency(self.vault, *latency);
                        let what = format!("{}, {label}, {}", self.name, contender.name);
                        let value = measure(point, &contender.how)
                            .with_context(|| format!("{what}, {latency} ms"))?;
                        let vault = if contender.uses_vault {
                            format!(", {latency} ms")
                        } else {
                            String::new()
                        };
                        eprintln!("{what}{vault}, round {round}: {value:.1}");
                        let all = if contender.uses_vault { which..=which } else { 0..=usize::MAX };
                        for (_, samples) in
                            samples.iter_mut().enumerate().filter(|(one, _)| all.contains(one))
                        {
                            samples[at][index].push(value);
                        }
                    }
                }
            }
        }
        Ok(self.tables(samples))
    }

    fn tables(&self, samples: Samples) -> Vec<Table> {
        let table = |(latency, points): (&u64, Vec<Vec<Vec<f64>>>)| Table {
            id: format!("{latency}-ms"),
            caption: format!("the vault takes {latency} ms"),
            unit: self.unit,
            rows: self
                .points
                .iter()
                .zip(points)
                .map(|((label, _), cells)| {
                    let names = self.contenders.iter().map(|contender| contender.name);
                    Row::new(label, names.zip(cells), self.ratios)
                })
                .collect(),
        };
        self.latencies.iter().zip(samples).map(table).collect()
    }
}

/// Sets the vault's own time for a request.
pub(crate) fn set_latency(vault: &Emulator, milliseconds: u64) {
    let time = Duration::from_millis(milliseconds);
    vault.set_latency((milliseconds > 0).then(|| Latency::new(time, time)));
}
