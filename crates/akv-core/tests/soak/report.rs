//! The results.

use std::{fmt, time::Duration};

use akv_emulator::{Operation, Stats};

use crate::{memory::Memory, plan::Plan};

/// The results of a run. Pairs are for the vault and the Managed HSM.
pub(crate) struct Report<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) took: Duration,
    pub(crate) signatures: u64,
    pub(crate) slowest: Duration,
    pub(crate) queued: [u64; 2],
    pub(crate) rotations: u64,
    pub(crate) revocations: u64,
    pub(crate) stats: [Stats; 2],
    pub(crate) memory: Memory,
    pub(crate) errors: usize,
}

impl Report<'_> {
    fn sum(&self, of: impl Fn(&Stats) -> u64) -> u64 {
        self.stats.iter().map(of).sum()
    }

    /// Requests beyond one per signature, as counted by the services.
    fn retries(&self) -> u64 {
        let needed = self.signatures + self.sum(|stats| stats.operation(Operation::GetKey));
        self.sum(|stats| stats.requests).saturating_sub(needed)
    }

    /// The memory's peak in the second tenth to the first quarter, and in the rest, in KiB.
    fn peaks(&self) -> (i64, i64) {
        let all = self.signatures;
        (self.memory.peak(all, 10, 25), self.memory.peak(all, 25, 100))
    }

    /// # Panics
    /// The memory has grown, or faults did not occur as planned.
    pub(crate) fn check(&self) {
        let (before, after) = self.peaks();
        let bound = self.plan.growth_kib;
        assert!(before > 0 && after - before < bound, "memory grew from {before} to {after} KiB");
        assert!(self.retries() > 0, "nothing was retried");
        for stats in &self.stats {
            assert!(stats.faults > 0, "no fault struck");
            assert!(stats.unauthorized > 0, "no token was refused");
            assert!(stats.tokens_issued >= 2, "no token was renewed");
        }
        let issued = self.sum(|stats| stats.tokens_issued);
        // Renewals at half of the lifetime, one token per refusal, two at the start.
        let lives = self.took.as_millis() / (self.plan.token_lifetime / 2).as_millis();
        let most = 2 * (lives as u64 + 2) + 2 * self.revocations;
        assert!(issued <= most, "{issued} tokens instead of at most {most}");
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = self.peaks();
        let per_second = self.signatures as f64 / self.took.as_secs_f64();
        let rows = [
            ("seconds", format!("{:.1}", self.took.as_secs_f64())),
            ("threads", self.plan.threads.to_string()),
            ("signatures, all verified", self.signatures.to_string()),
            ("signatures per second", format!("{per_second:.0}")),
            ("slowest signature, seconds", format!("{:.2}", self.slowest.as_secs_f64())),
            ("errors", self.errors.to_string()),
            ("faults queued", self.queued.iter().sum::<u64>().to_string()),
            ("faults played", self.sum(|stats| stats.faults).to_string()),
            ("requests beyond those needed", self.retries().to_string()),
            ("requests refused (401)", self.sum(|stats| stats.unauthorized).to_string()),
            ("tokens issued", self.sum(|stats| stats.tokens_issued).to_string()),
            ("token requests", self.sum(|stats| stats.token_requests).to_string()),
            ("revocations", self.revocations.to_string()),
            ("rotations of each key", self.rotations.to_string()),
            ("connections", self.sum(|stats| stats.connections).to_string()),
            ("TLS handshakes", self.sum(|stats| stats.tls_handshakes).to_string()),
            ("memory at a quarter, MiB", format!("{:.1}", before as f64 / 1024.0)),
            ("memory later at most, MiB", format!("{:.1}", after as f64 / 1024.0)),
        ];
        writeln!(f, "soak summary")?;
        for (name, value) in rows {
            writeln!(f, "  {name:<30} {value:>12}")?;
        }
        Ok(())
    }
}
