//! The boundary between libcrypto and Rust.
//!
//! Every function in a dispatch table passes its body to [`shared`], [`exclusive`] or a related
//! function; [`entry!`](crate::entry!) generates these calls. The first argument is the [`Stack`]
//! that the body starts on. The guard checks the object pointer,
//! keeps panics and cancellation from unwinding Rust frames, pushes exactly one error to the host's
//! error queue if the body fails, and traces the call.

use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use crate::host::Host;

pub use c_abi::{
    CallersStack, Entry, ErrorQueue, Failure, MAX_MESSAGE, NoRoom, Output, OwnStack, Return, Stack,
    bytes, catch_panic, clone_arc, deep, free_arc, free_box, query, quiet_panics, run, run_waiting,
    text, uncancelled,
};

/// An object that C holds a pointer to.
pub trait Object {
    /// The host whose error queue receives errors.
    fn host(&self) -> &Host;
}

/// The result of a body: a `Result`.
pub trait Outcome {
    /// The C type that it is converted to.
    type Raw;
}

impl<T: Return, E: Failure> Outcome for Result<T, E> {
    type Raw = T::Raw;
}

/// A host that is found by its slot in a table, without an object.
pub trait Slotted: 'static {
    /// The error queue that receives errors.
    fn errors(&self) -> &impl ErrorQueue;
}

/// Runs `body` with the host of a slot. Fails without an error if the slot is empty.
#[track_caller]
pub fn within<S: Stack, H: Slotted, T: Return, E: Failure>(
    _stack: S,
    name: &'static str,
    host: Option<&'static H>,
    body: impl FnOnce(&'static H) -> Result<T, E>,
) -> T::Raw {
    match host {
        Some(host) => S::run(name, host.errors(), || body(host)),
        None => T::FAILED,
    }
}

/// Runs the infallible `body` with the host of a slot. Returns `otherwise` if the slot is empty or
/// `body` panics.
pub fn query_within<H: Slotted, R>(
    name: &'static str,
    host: Option<&'static H>,
    otherwise: R,
    body: impl FnOnce(&'static H) -> R,
) -> R {
    match host {
        Some(host) => catch_panic(name, otherwise, || body(host)),
        None => otherwise,
    }
}

/// Runs `body` on an object that other threads may use at the same time.
///
/// # Safety
/// `object` is null or points to a live `O`.
#[track_caller]
pub unsafe fn shared<S: Stack, O: Object, T: Return, E: Failure>(
    _stack: S,
    name: &'static str,
    object: *const c_void,
    body: impl FnOnce(&O) -> Result<T, E>,
) -> T::Raw {
    // SAFETY: guaranteed by the caller.
    match unsafe { object.cast::<O>().as_ref() } {
        Some(object) => S::run(name, object.host(), || body(object)),
        None => T::FAILED,
    }
}

/// Runs `body` on an object that only this call uses, such as an operation context.
///
/// # Safety
/// `object` is null or points to a live `O` that nothing else uses during the call.
#[track_caller]
pub unsafe fn exclusive<S: Stack, O: Object, T: Return, E: Failure>(
    _stack: S,
    name: &'static str,
    object: *mut c_void,
    body: impl FnOnce(&mut O) -> Result<T, E>,
) -> T::Raw {
    // SAFETY: guaranteed by the caller.
    match unsafe { object.cast::<O>().as_mut() } {
        Some(object) => {
            let host = *object.host();
            S::run(name, &host, || body(object))
        }
        None => T::FAILED,
    }
}

/// Runs `body` on a reference-counted object of which C holds a reference.
///
/// # Safety
/// `object` is null or came from [`Arc::into_raw`], and C keeps its reference during the call.
#[track_caller]
pub unsafe fn counted<S: Stack, O: Object, T: Return, E: Failure>(
    stack: S,
    name: &'static str,
    object: *const c_void,
    body: impl FnOnce(&Arc<O>) -> Result<T, E>,
) -> T::Raw {
    // SAFETY: guaranteed by the caller.
    unsafe { shared(stack, name, object, |_: &O| body(&borrowed(object))) }
}

/// Runs the infallible `body` on a reference-counted object of which C holds a reference. Returns
/// `otherwise` if the object is null or `body` panics.
///
/// # Safety
/// As for [`counted`].
pub unsafe fn query_counted<O, R>(
    name: &'static str,
    object: *const c_void,
    otherwise: R,
    body: impl FnOnce(&Arc<O>) -> R,
) -> R {
    // SAFETY: guaranteed by the caller.
    unsafe { query(name, object, otherwise, |_: &O| body(&borrowed(object))) }
}

/// Borrows C's reference without taking a new one.
///
/// # Safety
/// `object` came from [`Arc::into_raw`], and C keeps its reference as long as the value lives.
unsafe fn borrowed<O>(object: *const c_void) -> ManuallyDrop<Arc<O>> {
    // SAFETY: guaranteed by the caller; the reference is not dropped.
    ManuallyDrop::new(unsafe { Arc::from_raw(object.cast()) })
}
