//! Operations in flight.

use std::{
    future::poll_fn,
    mem,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::Instant,
};

use futures::future::BoxFuture;
use tokio::task::AbortHandle;

use super::Driver;
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
    pub(crate) fn start(driver: Arc<dyn Driver>, operation: BoxFuture<'static, Result<T>>) -> Self {
        let outcome = Arc::new(Outcome(Mutex::new(State::Open(None))));
        let promise = Promise(Arc::clone(&outcome));
        let task = driver.start(Box::pin(async move { promise.keep(operation.await) }));
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
        // The runtime of another process must not be touched.
        if self.outcome.cancel() && self.driver.is_of_this_process() {
            self.task.abort();
        }
    }
}

/// The state that the task and the waiter share.
struct Outcome<T>(Mutex<State<T>>);

enum State<T> {
    /// There is no result yet; holds the waker to call.
    Open(Option<Waker>),
    Done(Result<T>),
    Taken,
}

impl<T> Outcome<T> {
    /// Takes the result.
    fn poll(&self, waker: &Waker) -> Poll<Result<T>> {
        let mut state = self.state();
        match mem::replace(&mut *state, State::Taken) {
            State::Done(result) => Poll::Ready(result),
            State::Taken => Poll::Pending,
            State::Open(last) => {
                let last = last.filter(|last| last.will_wake(waker));
                *state = State::Open(last.or_else(|| Some(waker.clone())));
                Poll::Pending
            }
        }
    }

    /// Gives up the result. Returns whether there was none yet.
    fn cancel(&self) -> bool {
        // In a child of `fork`, the lock may have been held by a thread that does not exist here.
        let Ok(mut state) = self.0.try_lock() else { return true };
        matches!(mem::replace(&mut *state, State::Taken), State::Open(_))
    }

    fn settle(&self, result: impl FnOnce() -> Result<T>) {
        let mut state = self.state();
        if let State::Open(waker) = &mut *state {
            let waker = waker.take();
            *state = State::Done(result());
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task's side of an outcome: a task that is dropped early, as by a panic, leaves an error.
struct Promise<T>(Arc<Outcome<T>>);

impl<T> Promise<T> {
    fn keep(self, result: Result<T>) {
        self.0.settle(|| result);
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        self.0.settle(|| {
            Err(Error::new(ErrorKind::Internal, "the operation panicked; this is a bug"))
        });
    }
}
