//! Model checking of what `akv-core`'s threads and processes share.
//!
//! `per_process.rs` and `token.rs` of `akv-core` are compiled here a second time, as they are,
//! against primitives that [shuttle] schedules: a scenario runs thousands of times, each time with
//! another order of its steps. What those files call `tokio`, `arc_swap`, `process_abi` and
//! `crate::primitives` is in this crate. Of `arc-swap` the promise is modelled and not the inside: each
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

#[path = "../../akv-core/src/circuit.rs"]
mod circuit;
#[path = "../../akv-core/src/counters.rs"]
mod counters;
#[path = "../../akv-core/src/per_process.rs"]
mod per_process;
#[path = "../../akv-core/src/token.rs"]
mod token;

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

/// What stands for `akv_core::primitives`.
mod primitives {
    pub(crate) use crate::process::{is_attended, now};
    pub(crate) use shuttle::sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64},
    };
    pub(crate) use std::sync::PoisonError;
}
