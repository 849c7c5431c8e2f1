//! The boundary between C and Rust, whichever C it is: OpenSSL's, or a program's own.
//!
//! Every function that C calls hands its body to [`run`] or one of its relatives. They check
//! pointers, keep panics and cancellation from unwinding Rust frames, and push exactly one entry to
//! the host's error queue when the body fails. Where the caller's stack is small, the body runs on one of
//! our own.
#![deny(missing_docs)]

mod cancellation;
mod guard;
mod memory;
mod stack;
mod wiping;

pub use self::{
    cancellation::uncancelled,
    guard::{Entry, ErrorQueue, Failure, MAX_MESSAGE, Return, alone, query, quiet_panics, run},
    memory::{NoRoom, Output, bytes, clone_arc, free_arc, free_box, text},
    wiping::Wiping,
};
