//! `akv`: the command line for keys in Azure Key Vault and Managed HSM.
//!
//! All logic is in `akv-core`; this program only calls it and prints the results.
#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod exit;
mod input;
mod key;
mod modules;
mod openssl_conf;
mod output;
mod settings;
mod text;

use std::process::ExitCode;

use arguments::Akv;
use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = Akv::parse();
    arguments.color.write_global();
    let json = arguments.json;
    match arguments.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(json),
    }
}
