//! The boundary between libcrypto and Rust.
//!
//! Every function in a dispatch table hands its body to [`shared`], [`exclusive`] or one of their
//! relatives; [`entry!`](crate::entry!) writes the functions that do. They check the object's pointer,
//! keep panics and cancellation from unwinding Rust frames, push exactly one entry to the host's error
//! queue when the body fails, and trace the call.

use crate::host::Host;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::sync::Arc;

pub use c_abi::{
    Entry, ErrorQueue, Failure, MAX_MESSAGE, NoRoom, Output, Return, alone, bytes, clone_arc,
    free_arc, free_box, query, quiet_panics, run, text, uncancelled,
};

/// An object that C holds a pointer to.
pub trait Object {
    /// Whose error queue hears of failures.
    fn host(&self) -> &Host;
}

/// What a body returns: a `Result`.
pub trait Outcome {
    /// The C type that it becomes.
    type Raw;
}

impl<T: Return, E: Failure> Outcome for Result<T, E> {
    type Raw = T::Raw;
}

/// A host that is known without an object: one for each slot of a table.
pub trait Slotted: 'static {
    /// Whose error queue hears of failures.
    fn errors(&self) -> &impl ErrorQueue;
}

/// Runs `body` with the host of a slot, and fails without an error when there is none.
#[track_caller]
pub fn within<H: Slotted, T: Return, E: Failure>(
    name: &'static str,
    host: Option<&'static H>,
    body: impl FnOnce(&'static H) -> Result<T, E>,
) -> T::Raw {
    match host {
        Some(host) => run(name, host.errors(), || body(host)),
        None => T::FAILED,
    }
}

/// Runs `body`, which cannot fail, with the host of a slot, and returns `otherwise` when there is none
/// or `body` panics.
pub fn query_within<H: Slotted, R>(
    name: &'static str,
    host: Option<&'static H>,
    otherwise: R,
    body: impl FnOnce(&'static H) -> R,
) -> R {
    match host {
        Some(host) => alone(name, otherwise, || body(host)),
        None => otherwise,
    }
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

/// Runs `body` on an object of which C has a count.
///
/// # Safety
/// `object` is null or came from [`Arc::into_raw`], and C keeps its count meanwhile.
#[track_caller]
pub unsafe fn counted<O: Object, T: Return, E: Failure>(
    name: &'static str,
    object: *const c_void,
    body: impl FnOnce(&Arc<O>) -> Result<T, E>,
) -> T::Raw {
    // SAFETY: vouched for by the caller.
    unsafe { shared(name, object, |_: &O| body(&borrowed(object))) }
}

/// Runs `body`, which cannot fail, on an object of which C has a count, and returns `otherwise` when
/// there is no object or `body` panics.
///
/// # Safety
/// As for [`counted`].
pub unsafe fn query_counted<O, R>(
    name: &'static str,
    object: *const c_void,
    otherwise: R,
    body: impl FnOnce(&Arc<O>) -> R,
) -> R {
    // SAFETY: vouched for by the caller.
    unsafe { query(name, object, otherwise, |_: &O| body(&borrowed(object))) }
}

/// The count that C has, without another one.
///
/// # Safety
/// `object` came from [`Arc::into_raw`], and C keeps its count as long as the value lives.
unsafe fn borrowed<O>(object: *const c_void) -> ManuallyDrop<Arc<O>> {
    // SAFETY: vouched for by the caller; the count is not given up.
    ManuallyDrop::new(unsafe { Arc::from_raw(object.cast()) })
}
