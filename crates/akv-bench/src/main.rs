//! The cost of a signature through `akv-core`, as a ratio to the same POST by a bare hyper and
//! rustls client in the same run. The vault is a separate process, so that its work is not counted.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod cost;
mod handshakes;
mod library;
mod raw;
mod report;
mod server;

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use server::{Server, Service};

/// Measures the cost of a signature through akv-core.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Signatures in each round, one after the other.
    #[arg(long, default_value_t = 400)]
    count: usize,
    /// Rounds of each contender, alternating; the median is used.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// The vault's own time for a signature, in milliseconds.
    #[arg(long, default_value_t = 5)]
    latency: u64,
    /// Measures only this service.
    #[arg(long)]
    service: Option<Service>,
    /// Runs only one contender, for a profiler.
    #[arg(long)]
    profile: Option<Profiled>,
    /// Fails unless akv-core stays under these ratios: CPU time, median latency.
    #[arg(long, num_args = 2, value_names = ["CPU", "LATENCY"])]
    limits: Option<Vec<f64>>,
}

/// The contender to profile.
#[derive(Clone, Copy, ValueEnum)]
enum Profiled {
    /// The bare client.
    Bare,
    /// The async API of `akv-core` without the local check.
    Core,
}

#[derive(Subcommand)]
enum Command {
    /// Measures TLS handshakes with one server thread: local key, blocking, asynchronous.
    Handshakes(handshakes::Handshakes),
    /// The vault's process.
    #[command(hide = true)]
    Serve {
        service: Service,
        /// Milliseconds.
        latency: u64,
    },
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.command {
        Some(Command::Serve { service, latency }) => {
            return server::serve(*service, Duration::from_millis(*latency));
        }
        Some(Command::Handshakes(handshakes)) => return handshakes.run(),
        None => {}
    }
    let mut worst: Option<report::Ratio> = None;
    for service in [Service::Vault, Service::ManagedHsm] {
        if arguments.service.is_some_and(|only| only != service) {
            continue;
        }
        let server = Server::start(service, arguments.latency)?;
        for key in server::KEYS {
            let rows = contest(&server, key, arguments)?;
            if rows.is_empty() {
                continue;
            }
            let title = format!(
                "{key:?} on {service} after {} ms, {} × {} signatures, one after the other",
                arguments.latency, arguments.rounds, arguments.count
            );
            let ratio = report::print(&title, &rows);
            worst = Some(worst.map_or(ratio, |worst| worst.max(ratio)));
        }
    }
    report::check(worst, arguments.limits.as_deref())
}

/// Runs all contenders in turns, so that other load on the machine affects all alike.
fn contest(server: &Server, key: server::Key, arguments: &Arguments) -> Result<Vec<report::Row>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Some(profiled) = arguments.profile {
        let count = arguments.count * arguments.rounds;
        let cost = runtime.block_on(async {
            match profiled {
                Profiled::Bare => {
                    let mut raw = raw::Client::connect(server, key).await?;
                    cost::of(count, async || raw.sign().await).await
                }
                Profiled::Core => {
                    let contender = library::Contender::open(server, key, false).await?;
                    cost::of(count, async || contender.sign().await).await
                }
            }
        })?;
        println!("{cost:?}");
        return Ok(Vec::new());
    }
    let mut raw = runtime.block_on(raw::Client::connect(server, key))?;
    let unchecked = runtime.block_on(library::Contender::open(server, key, false))?;
    let checked = runtime.block_on(library::Contender::open(server, key, true))?;
    let blocking = library::BlockingContender::open(server, key)?;
    let mut rows = [
        report::Row::new("bare hyper and rustls client", report::Role::Reference),
        report::Row::new("akv-core, async, local check off", report::Role::Limited),
        report::Row::new("akv-core, async, local check on", report::Role::Stated),
        report::Row::new("akv-core, blocking, local check off", report::Role::Stated),
    ];
    // The first round warms up connections, caches and the processor's clock.
    for round in 0..=arguments.rounds {
        let costs = [
            runtime.block_on(cost::of(arguments.count, async || raw.sign().await))?,
            runtime.block_on(cost::of(arguments.count, async || unchecked.sign().await))?,
            runtime.block_on(cost::of(arguments.count, async || checked.sign().await))?,
            runtime.block_on(cost::of(arguments.count, async || blocking.sign()))?,
        ];
        if round > 0 {
            rows.iter_mut().zip(costs).for_each(|(row, cost)| row.add(cost));
        }
    }
    Ok(rows.into())
}
