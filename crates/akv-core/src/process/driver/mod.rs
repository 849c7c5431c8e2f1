//! Runs operations for callers.
//!
//! A caller hands an operation to a [`Driver`] and gets a [`Pending`] for it, which can be polled,
//! or waited for on the calling thread. Dropping it cancels the operation.
//!
//! The drivers share this process's [`runtime`]. If the system lets us start a thread, it is
//! [`attended`]: the thread drives it, or a caller that is alone does. Otherwise the waiting callers
//! drive it.

mod aside;
mod attended;
mod counted;
mod descriptors;
mod helm;
mod here;
mod outcome;
mod pending;
mod runtime;
mod stack;
mod unattended;
mod unpark;
mod wait;

pub use self::wait::{Block, InFlight, Wait};
pub(crate) use self::{
    aside::run_blocking,
    descriptors::above_standard_streams,
    helm::Caller,
    pending::Pending,
    runtime::{runs_in_background, spawn},
};

#[cfg(test)]
pub(crate) use self::runtime::caller_driven;

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Instant,
};

use futures::future::BoxFuture;
use tokio::task::AbortHandle;

use self::counted::Counted;
use crate::{Error, ErrorKind, Result};

/// An operation that stores its result for its [`Pending`].
pub(crate) type Task = BoxFuture<'static, ()>;

/// Ready when a caller can stop waiting.
pub(crate) type Done<'a> = Pin<&'a mut dyn Future<Output = ()>>;

/// Runs operations.
pub(crate) trait Driver: Send + Sync {
    /// Announces a task, which is counted until it drops the result.
    fn begin(self: Arc<Self>, caller: Caller) -> Counted;

    /// Accepts a task. It runs whether or not a caller waits for it, if there is a thread to run
    /// it. Without one it runs only while a caller [waits](Driver::wait).
    fn start(&self, task: Task) -> AbortHandle;

    /// Whether tasks run while no caller waits.
    fn is_attended(&self) -> bool;

    /// Whether this process started the driver, and not its parent before a `fork`.
    fn is_of_this_process(&self) -> bool;

    /// Runs an operation on the calling thread, if that is quicker than handing it over, until
    /// `done` is ready, `until` is reached, or others need the runtime.
    ///
    /// # Errors
    /// The host has closed the runtime's descriptors.
    fn lead(&self, done: Done<'_>, until: Instant) -> Result<()>;

    /// Blocks the calling thread until `done` is ready or `until` is reached.
    ///
    /// # Errors
    /// This thread must not block.
    fn wait(&self, done: Done<'_>, until: Instant) -> Result<()>;
}

/// Starts an operation, which continues while its caller does something else.
///
/// # Errors
/// The runtime cannot be started.
pub(crate) fn start<T: Send + 'static>(
    operation: BoxFuture<'static, Result<T>>,
) -> Result<Pending<T>> {
    Ok(Pending::start(runtime::driver()?, operation, Caller::GoesOn))
}

/// An operation whose caller waits for it.
pub(crate) enum Run<T> {
    /// It has run on the calling thread.
    Ended(Result<T>),
    Started(Pending<T>),
}

/// Runs an operation, at most until `until`, or starts it. The caller must be able to block, on this
/// stack.
///
/// # Errors
/// The runtime cannot be started, or the host has closed its descriptors.
pub(crate) fn run<T: Send + 'static>(
    operation: BoxFuture<'static, Result<T>>,
    until: Instant,
) -> Result<Run<T>> {
    run_by(runtime::driver()?, operation, until)
}

fn run_by<T: Send + 'static>(
    driver: Arc<dyn Driver>,
    mut operation: BoxFuture<'static, Result<T>>,
    until: Instant,
) -> Result<Run<T>> {
    let mut result = None;
    let done = poll_fn(|context| {
        let poll = || operation.as_mut().poll(context);
        let poll = catch_unwind(AssertUnwindSafe(poll)).unwrap_or_else(|_| Poll::Ready(panicked()));
        poll.map(|outcome| result = Some(outcome))
    });
    driver.lead(pin!(done), until)?;
    Ok(match result {
        Some(result) => Run::Ended(result),
        None => Run::Started(Pending::start(driver, operation, Caller::Waits)),
    })
}

#[cold]
fn panicked<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Internal, "the operation panicked; this is a bug"))
}
