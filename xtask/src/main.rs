//! The project's commands, one file each: `cargo xtask COMMAND`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod aws_lc;
mod bench;
mod build;
mod cache;
mod cases;
mod debian;
mod debian11;
mod demo;
mod dist;
mod docs;
mod e2e;
mod fuzz;
mod hosts;
mod minimal;
mod needs;
mod openssl;
mod programs;
mod sdk;
mod soak;
mod test;
mod tools;
mod valgrind;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's commands.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures what signatures and TLS handshakes with keys in a vault cost.
    Bench(bench::Bench),
    /// Builds the modules and programs into `modules/` in cargo's target folder.
    Build(build::Build),
    /// Demonstrates the main use: nginx serves TLS with keys in the embedded vault.
    Demo(demo::Demo),
    /// Makes the packages for Debian and rpm, and a tarball. Takes a quarter of an hour.
    Dist(dist::Dist),
    /// Renders the documentation as a site, and checks its links.
    Docs(docs::Docs),
    /// Runs end-to-end cases against real vaults, or with `--emulator` against the embedded one.
    #[command(disable_help_flag = true)]
    E2e(e2e::E2e),
    /// Runs the modules with several versions of OpenSSL or the programs of Debian 11, the C API
    /// with AWS-LC, Microsoft's clients against the embedded vault, or the tests' requirements on a
    /// minimal Debian 12.
    Hosts(hosts::Hosts),
    /// Runs everything that continuous integration runs.
    Test(test::Test),
    /// Signs for many minutes while the network, the service and the tokens fail at random.
    Soak(soak::Soak),
    /// Runs libFuzzer on everything that parses untrusted input.
    Fuzz(fuzz::Fuzz),
    /// Runs C programs that load the module under valgrind, for minutes.
    Valgrind(valgrind::Valgrind),
    /// Installs the requirements of the demo and the tests, with apt-get.
    Setup(needs::Setup),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Bench(bench) => bench.run(),
        Command::Build(build) => build.run().map(|_| ()),
        Command::Demo(demo) => demo.run(),
        Command::Dist(dist) => dist.run(),
        Command::Docs(docs) => docs.run(),
        Command::E2e(e2e) => e2e.run(),
        Command::Hosts(hosts) => hosts.run(),
        Command::Test(test) => test.run(),
        Command::Soak(soak) => soak.run(),
        Command::Fuzz(fuzz) => fuzz.run(),
        Command::Valgrind(valgrind) => valgrind.run(),
        Command::Setup(setup) => setup.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
