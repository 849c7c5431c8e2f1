//! The boundary between libcrypto and Rust.
//!
//! Every function in a dispatch table hands its body to [`shared`], [`exclusive`] or one of their
//! relatives. They check the object's pointer, keep panics and cancellation from unwinding Rust
//! frames, push exactly one entry to the host's error queue when the body fails, and trace the call.

use crate::host::Host;
use std::ffi::c_void;

pub use c_abi::{
    Entry, ErrorQueue, Failure, MAX_MESSAGE, NoRoom, Output, Return, alone, bytes, clone_arc,
    free_arc, free_box, query, quiet_panics, run, text, uncancelled,
};

/// An object that C holds a pointer to.
pub trait Object {
    /// Whose error queue hears of failures.
    fn host(&self) -> &Host;
}

/// Runs `body` on an object that other threads may be using too.
///
/// # Safety
/// `object` is null or leads to a live `O`.
#[track_caller]
pub unsafe fn shared<O: Object, T: Return, E: Failure>(
    name: &'static str,
    object: *const c_void,
    body: impl FnOnce(&O) -> Result<T, E>,
) -> T::Raw {
    // SAFETY: vouched for by the caller.
    match unsafe { object.cast::<O>().as_ref() } {
        Some(object) => run(name, object.host(), || body(object)),
        None => T::FAILED,
    }
}

/// Runs `body` on an object that belongs to this call alone: an operation's context.
///
/// # Safety
/// `object` is null or leads to a live `O` that nobody else uses meanwhile.
#[track_caller]
pub unsafe fn exclusive<O: Object, T: Return, E: Failure>(
    name: &'static str,
    object: *mut c_void,
    body: impl FnOnce(&mut O) -> Result<T, E>,
) -> T::Raw {
    // SAFETY: vouched for by the caller.
    match unsafe { object.cast::<O>().as_mut() } {
        Some(object) => {
            let host = *object.host();
            run(name, &host, || body(object))
        }
        None => T::FAILED,
    }
}
