//! Model checking of what `akv-core`'s threads and processes share.
//!
//! `per_process.rs`, `circuit.rs` and `token_cache.rs` of `akv-core` are compiled here a second time, as they are,
//! against primitives that [shuttle] schedules: a scenario runs thousands of times, each time with
//! another order of its steps. What those files call `tokio`, `arc_swap`, `process_abi` and
//! `crate::process` is in this crate. Of `arc-swap` the promise is modelled and not the inside: each
//! call happens at once for everybody. There is one order of all steps, so a memory order that is
//! too weak would not be found.
// The unit tests of these files are akv-core's business.
#![cfg(not(test))]
#![allow(dead_code, unreachable_pub, reason = "not all of the files is used here")]

// The names by which the files of akv-core know what stands here in place of the real crates.
extern crate self as arc_swap;
extern crate self as process_abi;
extern crate self as tokio;

mod credential;
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
pub mod per_process_scenarios;
pub mod token_scenarios;

pub(crate) use akv_core::{Error, ErrorKind, Result};

#[doc(hidden)]
pub use self::{
    process::{ProcessId, current},
    swap::ArcSwapOption,
    tokio_model::{spawn, sync, time},
};
