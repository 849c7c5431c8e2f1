//! Model checking of the state that threads and processes share.
//!
//! `per_process.rs`, `circuit.rs`, `token_cache.rs`, `outcome.rs` and `helm.rs` of `akv-core` and `event.rs` of
//! `ossl-abi` are compiled here again, unchanged, against primitives that [shuttle] schedules: a scenario runs thousands of times, each
//! time with another order of its steps. This crate models what those files import as `tokio`,
//! `arc_swap`, `process_abi` and `crate::process`. The documented guarantee of `arc-swap` is
//! modelled, not its inside: each call is atomic. All steps have one total order, so a memory
//! ordering that is too weak would not be found.
#![forbid(unsafe_code)]
// The unit tests of these files run in akv-core.
#![cfg(not(test))]
#![allow(dead_code, unreachable_pub, reason = "not all of the files is used here")]

// akv-core's files import the models in this crate under the names of the real crates.
extern crate self as arc_swap;
extern crate self as process_abi;
extern crate self as tokio;

mod credential;
mod job;
mod process;
mod swap;
mod tokio_model;

#[path = "../../akv-core/src/session/circuit.rs"]
mod circuit;
#[path = "../../akv-core/src/counters.rs"]
mod counters;
#[path = "../../akv-core/src/session/token_cache.rs"]
mod token_cache;

pub mod circuit_scenarios;
pub mod helm_scenarios;
pub mod job_scenarios;
pub mod per_process_scenarios;
pub mod token_scenarios;

pub(crate) use akv_core::{Error, ErrorKind, Result};

#[doc(hidden)]
pub use self::{
    process::{ProcessId, current},
    swap::ArcSwapOption,
    tokio_model::{spawn, sync, time},
};
