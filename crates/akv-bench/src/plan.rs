//! How much is measured.

use std::time::Duration;

use clap::Args;

/// Options that change the defaults.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Effort {
    /// Rounds of each measurement, in which all contenders take turns; the median is used.
    #[arg(long)]
    rounds: Option<usize>,
    /// Seconds of each round of handshakes, after some to warm up.
    #[arg(long)]
    seconds: Option<f64>,
    /// The vault's own time for a signature, in milliseconds; may be repeated.
    #[arg(long)]
    latency: Vec<u64>,
    /// Connections that are in progress at any time; may be repeated.
    #[arg(long)]
    clients: Vec<u32>,
    /// Worker processes of nginx; may be repeated.
    #[arg(long)]
    workers: Vec<u32>,
}

/// How much is measured.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
    pub(crate) warm_up: f64,
    /// Milliseconds.
    pub(crate) latencies: Vec<u64>,
    pub(crate) clients: Vec<u32>,
    /// Milliseconds, in front of hosts that block.
    pub(crate) nginx_latencies: Vec<u64>,
    pub(crate) workers: Vec<u32>,
    /// Enough for every worker to have some.
    pub(crate) nginx_clients: u32,
    /// Signatures in each round, one after the other.
    pub(crate) signatures: usize,
    /// Their ratios differ by a few percent only.
    pub(crate) signature_rounds: usize,
}

impl Plan {
    pub(crate) fn new(quick: bool, effort: &Effort) -> Self {
        let mut plan = if quick { Self::quick() } else { Self::default() };
        for rounds in [&mut plan.rounds, &mut plan.signature_rounds] {
            *rounds = effort.rounds.unwrap_or(*rounds).max(1);
        }
        plan.seconds = effort.seconds.unwrap_or(plan.seconds);
        for latencies in [&mut plan.latencies, &mut plan.nginx_latencies] {
            replace(latencies, &effort.latency);
        }
        replace(&mut plan.clients, &effort.clients);
        replace(&mut plan.workers, &effort.workers);
        plan
    }

    /// Shows that everything works; its figures mean little.
    fn quick() -> Self {
        Self {
            rounds: 1,
            seconds: 0.5,
            warm_up: 0.3,
            latencies: vec![30],
            clients: vec![64],
            nginx_latencies: vec![30],
            workers: vec![1, 8],
            nginx_clients: 64,
            signatures: 20,
            signature_rounds: 1,
        }
    }

    /// Time limit of a program that measures.
    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs(60) + Duration::from_secs_f64(self.warm_up + self.seconds)
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            rounds: 3,
            seconds: 2.0,
            warm_up: 1.0,
            latencies: vec![0, 5, 30],
            clients: vec![1, 64, 512],
            nginx_latencies: vec![5, 15, 30],
            workers: vec![1, 8, 64],
            nginx_clients: 256,
            signatures: 200,
            signature_rounds: 5,
        }
    }
}

fn replace<T: Clone>(values: &mut Vec<T>, others: &[T]) {
    if !others.is_empty() {
        *values = others.to_vec();
    }
}
