//! The parameters of a soak.

use std::{
    env,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The parameters of a soak.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) signatures: u64,
    pub(crate) threads: u64,
    /// Average number of signatures per fault.
    pub(crate) per_fault: u64,
    /// How many times each key is rotated.
    pub(crate) rotations: u64,
    /// How many times all tokens are revoked.
    pub(crate) revocations: u64,
    pub(crate) token_lifetime: Duration,
    /// How much the memory may grow after the first quarter, in KiB. The emulator is in the same
    /// process: its rotated keys and issued tokens stay.
    pub(crate) growth_kib: i64,
}

impl Plan {
    pub(crate) const SHORT: Self = Self {
        seed: 0,
        signatures: 4_000,
        threads: 16,
        per_fault: 40,
        rotations: 2,
        revocations: 2,
        token_lifetime: Duration::from_secs(3),
        growth_kib: 8 * 1024,
    };

    pub(crate) const LONG: Self = Self {
        seed: 0,
        signatures: 200_000,
        threads: 16,
        per_fault: 40,
        rotations: 20,
        revocations: 20,
        token_lifetime: Duration::from_secs(20),
        growth_kib: 8 * 1024,
    };

    /// `base`, overridden by `AKV_SOAK_SIGNATURES`, `AKV_SOAK_THREADS` and `AKV_SOAK_SEED`. The
    /// seed determines what is signed with which key, and the order of the faults. Which request
    /// meets a fault depends on the threads.
    pub(crate) fn from_environment(base: Self) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            seed: number("AKV_SOAK_SEED").unwrap_or(now.as_millis() as u64),
            signatures: number("AKV_SOAK_SIGNATURES").unwrap_or(base.signatures),
            threads: number("AKV_SOAK_THREADS").unwrap_or(base.threads),
            ..base
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {text:?}")))
}
