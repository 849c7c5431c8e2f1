//! Processor time and wall-clock time.

use std::time::{Duration, Instant};

use anyhow::Result;
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike as _,
};

/// The cost of one operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// Processor time of this process in user and kernel mode.
    pub(crate) cpu: Duration,
    /// The median of the times from call to result.
    pub(crate) latency: Duration,
}

/// Runs an operation `count` times, one after the other.
pub(crate) async fn of(
    count: usize,
    mut operation: impl AsyncFnMut() -> Result<()>,
) -> Result<Cost> {
    let mut latencies = Vec::with_capacity(count);
    let before = cpu_time()?;
    for _ in 0..count {
        let start = Instant::now();
        operation().await?;
        latencies.push(start.elapsed());
    }
    let cpu = cpu_time()?.saturating_sub(before) / u32::try_from(count)?;
    Ok(Cost { cpu, latency: median(&mut latencies) })
}

fn cpu_time() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(micros.unsigned_abs()))
}

/// The median of some durations.
pub(crate) fn median(durations: &mut [Duration]) -> Duration {
    durations.sort_unstable();
    durations.get(durations.len() / 2).copied().unwrap_or_default()
}
