//! The emulator as a program; see [`akv_emulator::program`].
#![forbid(unsafe_code)]

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use akv_emulator::program::{self, Arguments};
use clap::Parser;

/// An embedded Azure Key Vault and Managed HSM (keys only) for tests.
///
/// Prints shell lines that point clients at it, then serves until Ctrl-C or SIGTERM.
#[derive(Parser)]
#[command(version)]
struct Program {
    #[command(flatten)]
    arguments: Arguments,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(io::stderr)
        .init();
    match program::run(Program::parse().arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "akv-emulator: {error}");
            ExitCode::FAILURE
        }
    }
}
