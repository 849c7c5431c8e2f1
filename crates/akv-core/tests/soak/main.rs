//! Signs for a long time from many threads while the network, the service and the tokens fail at
//! random. No signature may fail, every signature must verify, and the memory must not grow.
//!
//! `cargo xtask soak` runs the long form. Options come from variables, see [`Plan::from_environment`].

#![allow(clippy::print_stdout, reason = "the soak prints its seed and its summary")]

mod disturb;
mod memory;
mod plan;
mod report;
mod run;
mod verify;
mod world;

use plan::Plan;

/// The same as the long soak in about ten seconds.
#[test]
fn every_signature_succeeds_despite_faults() {
    run::run(&Plan::from_environment(Plan::SHORT));
}

#[test]
#[ignore = "takes many minutes; `cargo xtask soak` runs it"]
fn every_signature_succeeds_for_a_long_time() {
    run::run(&Plan::from_environment(Plan::LONG));
}
