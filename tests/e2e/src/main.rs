//! `cargo xtask e2e`: the same end-to-end cases against real vaults or the embedded one.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod arguments;
mod case;
mod cases;
mod emulated;
mod keys;
mod plan;
mod preflight;
mod record;
mod report;
mod run;
mod stage;
mod target;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match run::run(&arguments::Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
