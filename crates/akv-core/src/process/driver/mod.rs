//! Runs operations for callers.
//!
//! A caller hands an operation to a [`Driver`] and gets a [`Pending`] for it. The result is
//! obtained by waiting on the calling thread; the blocking facade needs no other way.
//!
//! The only driver so far is this process's [`runtime`]. A thread named `akv` drives it if the
//! system lets us start one. Otherwise the waiting callers drive it.

mod aside;
mod descriptors;
mod pending;
mod runtime;
mod stack;

pub(crate) use self::{
    aside::run_blocking,
    descriptors::above_standard_streams,
    pending::Pending,
    runtime::{runs_in_background, spawn},
};

#[cfg(test)]
pub(crate) use self::runtime::caller_driven;

use std::{
    pin::Pin,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;

use crate::Result;

/// An operation that stores its result for its [`Pending`].
pub(crate) type Task = BoxFuture<'static, ()>;

/// Ready when a caller can stop waiting.
pub(crate) type Done<'a> = Pin<&'a mut dyn Future<Output = ()>>;

/// Runs operations.
pub(crate) trait Driver: Send + Sync {
    /// Accepts a task. It runs whether or not a caller waits for it, if there is a thread to run
    /// it. Without one it runs only while a caller [waits](Driver::wait).
    fn start(&self, task: Task);

    /// Blocks the calling thread until `done` is ready or `until` is reached.
    ///
    /// # Errors
    /// This thread must not block.
    fn wait(&self, done: Done<'_>, until: Instant) -> Result<()>;
}

/// Runs an operation and waits for its result.
///
/// It uses little of the caller's stack, which may be tiny (an OpenSSL ASYNC job has 32 KiB). The
/// caller may be inside its own async runtime if threads can be started.
///
/// # Errors
/// The operation's own error; or the runtime cannot be started, the operation panicked, or there
/// was no result within `limit`.
pub(crate) fn block_on<T: Send + 'static>(
    limit: Duration,
    operation: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    start(Box::pin(operation))?.wait(limit)
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
