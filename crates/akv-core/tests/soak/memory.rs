//! The resident memory of this process over time.

use std::fs;

/// Samples in KiB, each with the number of signatures at its time.
#[derive(Default)]
pub(crate) struct Memory(Vec<(u64, i64)>);

impl Memory {
    pub(crate) fn sample(&mut self, signatures: u64) {
        self.0.push((signatures, resident_kib()));
    }

    /// The highest sample with a number of signatures between these shares of `all`, in percent.
    pub(crate) fn peak(&self, all: u64, from: u64, to: u64) -> i64 {
        let range = all * from / 100..=all * to / 100;
        let samples = self.0.iter().filter(|(signatures, _)| range.contains(signatures));
        samples.map(|(_, kib)| *kib).max().unwrap_or_default()
    }
}

fn resident_kib() -> i64 {
    let status = fs::read_to_string("/proc/self/status").expect("/proc/self/status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number of KiB")
}
