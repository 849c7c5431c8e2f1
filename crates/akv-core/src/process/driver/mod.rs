//! Where operations leave the caller for the service, and what carries them there.
//!
//! A caller hands an operation to a [`Driver`] and gets a [`Pending`] for it. Waiting on the
//! calling thread is one way to get at the result; the blocking facade knows no other.
//!
//! The one driver so far is this process's [`runtime`]. A thread named `akv` drives it where the
//! system lets us start one. Where it does not, whoever waits drives.

mod aside;
mod descriptors;
mod pending;
mod runtime;
mod stack;

pub(crate) use self::{
    aside::aside,
    descriptors::above_standard_streams,
    pending::Pending,
    runtime::{is_attended, spawn},
};

#[cfg(test)]
pub(crate) use self::runtime::unattended;

use crate::Result;
use futures::future::BoxFuture;
use std::{
    pin::Pin,
    time::{Duration, Instant},
};

/// An operation that puts its result where its [`Pending`] finds it.
pub(crate) type Task = BoxFuture<'static, ()>;

/// Ready when a caller need not wait any longer.
pub(crate) type Done<'a> = Pin<&'a mut dyn Future<Output = ()>>;

/// Carries operations to the service.
pub(crate) trait Driver: Send + Sync {
    /// Takes on a task. It goes on whether or not anybody waits for it, as far as there is a
    /// thread to go on; without one it goes on while somebody [waits](Driver::wait).
    fn start(&self, task: Task);

    /// Blocks the calling thread until `done` is ready or the time has come.
    ///
    /// # Errors
    /// This thread cannot wait here.
    fn wait(&self, done: Done<'_>, until: Instant) -> Result<()>;
}

/// Carries out an operation and waits for its result.
///
/// It takes little of the caller's stack, which may be tiny (an OpenSSL ASYNC job has 32 KiB), and
/// the caller may be inside an async runtime of its own as long as threads can be started.
///
/// # Errors
/// The operation's own; the runtime cannot be started, the operation panicked, or there was no
/// result within `limit`.
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
