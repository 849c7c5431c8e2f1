//! What signatures and TLS handshakes with keys in a vault cost: compared with a bare client, with
//! local keys, and with hosts that block. Everything that is compared takes turns in the same run.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod all;
mod clients;
mod contender;
mod cost;
mod hosts;
mod keys;
mod measure;
mod model;
mod plan;
mod programs;
mod report;
mod service;
mod single;
mod sweep;

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::service::Kind;

/// Measures what signatures and handshakes with keys in a vault cost.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    signatures: single::Signatures,
}

#[derive(Subcommand)]
enum Command {
    /// Measures everything, and writes a report.
    All(all::All),
    /// Measures TLS handshakes with one server thread: local key, blocking, asynchronous.
    Handshakes(single::Handshakes),
    /// The vault's process.
    #[command(hide = true)]
    Serve {
        kind: Kind,
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
        Some(Command::All(all)) => all.run(),
        Some(Command::Handshakes(handshakes)) => handshakes.run(),
        Some(Command::Serve { kind, latency }) => {
            service::serve(*kind, Duration::from_millis(*latency))
        }
        None => arguments.signatures.run(),
    }
}
