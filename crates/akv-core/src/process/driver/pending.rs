//! Operations in flight.

use std::{
    future::poll_fn,
    pin::pin,
    sync::Arc,
    task::{Poll, Waker},
    time::Instant,
};

use futures::future::BoxFuture;
use tokio::task::AbortHandle;

use super::{
    Caller, Driver,
    outcome::{Outcome, Promise},
};
use crate::{Error, ErrorKind, Result};

/// An operation in flight. Dropping it cancels the operation.
///
/// Its result lives in memory that the task and the waiter share, so either may be dropped before
/// the other.
#[must_use = "dropping it cancels the operation"]
pub(crate) struct Pending<T> {
    outcome: Arc<Outcome<T>>,
    driver: Arc<dyn Driver>,
    task: AbortHandle,
}

impl<T: Send + 'static> Pending<T> {
    /// Hands an operation to a driver.
    pub(crate) fn start(
        driver: Arc<dyn Driver>,
        operation: BoxFuture<'static, Result<T>>,
        caller: Caller,
    ) -> Self {
        let (outcome, promise) = Promise::new();
        let counted = Arc::clone(&driver).begin(caller);
        let task = driver.start(Box::pin(async move {
            let result = operation.await;
            // First, since the result wakes the caller, who may start the next operation.
            drop(counted);
            promise.keep(result);
        }));
        Self { outcome, driver, task }
    }

    /// Whether the operation continues while nothing waits for it.
    pub(crate) fn is_attended(&self) -> bool {
        self.driver.is_attended()
    }

    /// Takes the result; once taken, there is never another. Only the last waker is woken.
    ///
    /// # Errors
    /// The operation's own error, or it panicked.
    pub(crate) fn poll(&self, waker: &Waker) -> Poll<Result<T>> {
        self.outcome.poll(waker)
    }

    /// A function that cancels the operation, as dropping this does.
    pub(crate) fn canceller(&self) -> Box<dyn FnOnce() + Send> {
        let (outcome, driver) = (Arc::clone(&self.outcome), Arc::clone(&self.driver));
        let task = self.task.clone();
        Box::new(move || cancel(&outcome, &*driver, &task))
    }

    /// Fails in a child of `fork` if the operation was started in its parent, whose thread and
    /// connections the child lacks.
    ///
    /// # Errors
    /// The operation continues in the parent only.
    pub(crate) fn check_process(&self) -> Result<()> {
        if self.driver.is_of_this_process() {
            return Ok(());
        }
        let text = "the operation was started before a fork, and continues in the parent only";
        Err(Error::new(ErrorKind::Internal, text))
    }

    /// Blocks the calling thread until there is a result or `until` is reached. It uses little of
    /// the caller's stack, which may be tiny (an OpenSSL ASYNC job has 32 KiB). The caller may be
    /// inside its own async runtime if threads can be started.
    ///
    /// # Errors
    /// As [`Self::poll`], or this thread must not block.
    pub(crate) fn wait(&self, until: Instant) -> Result<Option<T>> {
        let mut result = None;
        {
            let mut done = pin!(poll_fn(|context| {
                self.poll(context.waker()).map(|outcome| result = Some(outcome))
            }));
            self.driver.wait(done.as_mut(), until)?;
        }
        result.transpose()
    }
}

impl<T> Drop for Pending<T> {
    fn drop(&mut self) {
        cancel(&self.outcome, &*self.driver, &self.task);
    }
}

fn cancel<T>(outcome: &Outcome<T>, driver: &dyn Driver, task: &AbortHandle) {
    // The runtime of another process must not be touched.
    if !driver.is_of_this_process() {
        outcome.cancel_in_child();
    } else if outcome.cancel() {
        task.abort();
    }
}
