//! Runs operations for callers.
//!
//! A caller hands an operation to a [`Driver`] and gets a [`Pending`] for it, which can be polled,
//! or waited for on the calling thread. Dropping it cancels the operation.
//!
//! The only driver so far is this process's [`runtime`]. A thread named `akv` drives it if the
//! system lets us start one. Otherwise the waiting callers drive it.

mod aside;
mod descriptors;
mod outcome;
mod pending;
mod runtime;
mod stack;
mod wait;

pub use self::wait::{InFlight, Wait};
pub(crate) use self::{
    aside::run_blocking,
    descriptors::above_standard_streams,
    pending::Pending,
    runtime::{runs_in_background, spawn},
};

#[cfg(test)]
pub(crate) use self::runtime::caller_driven;

use std::{pin::Pin, time::Instant};

use futures::future::BoxFuture;
use tokio::task::AbortHandle;

use crate::Result;

/// An operation that stores its result for its [`Pending`].
pub(crate) type Task = BoxFuture<'static, ()>;

/// Ready when a caller can stop waiting.
pub(crate) type Done<'a> = Pin<&'a mut dyn Future<Output = ()>>;

/// Runs operations.
pub(crate) trait Driver: Send + Sync {
    /// Accepts a task. It runs whether or not a caller waits for it, if there is a thread to run
    /// it. Without one it runs only while a caller [waits](Driver::wait).
    fn start(&self, task: Task) -> AbortHandle;

    /// Whether tasks run while no caller waits.
    fn is_attended(&self) -> bool;

    /// Whether this process started the driver, and not its parent before a `fork`.
    fn is_of_this_process(&self) -> bool;

    /// Blocks the calling thread until `done` is ready or `until` is reached.
    ///
    /// # Errors
    /// This thread must not block.
    fn wait(&self, done: Done<'_>, until: Instant) -> Result<()>;
}

/// Starts an operation.
///
/// # Errors
/// The runtime cannot be started.
pub(crate) fn start<T: Send + 'static>(
    operation: BoxFuture<'static, Result<T>>,
) -> Result<Pending<T>> {
    Ok(Pending::start(runtime::driver()?, operation))
}
