//! The boundary between C (OpenSSL or another program) and Rust.
//!
//! Every function that C calls passes its body to [`run`] or a related function. These check
//! pointers, keep panics and cancellation from unwinding Rust frames, and push exactly one error to
//! the host's error queue if the body fails. If the caller's stack is small, the body runs on a
//! stack of our own.
#![deny(missing_docs)]

mod cancellation;
mod guard;
mod memory;
mod stack;
mod wiping;

pub use self::{
    cancellation::{outside, uncancelled},
    guard::{
        CallersStack, Entry, ErrorQueue, Failure, MAX_MESSAGE, OwnStack, Return, Stack,
        catch_panic, deep, query, quiet_panics, run, run_waiting,
    },
    memory::{NoRoom, Output, bytes, clone_arc, free_arc, free_box, text},
    stack::is_on_own_stack,
    wiping::Wiping,
};
