//! Operations in flight.

use std::{
    future::poll_fn,
    mem,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use futures::future::BoxFuture;

use super::Driver;
use crate::{Error, ErrorKind, Result};

/// An operation in flight.
///
/// Its result lives in memory that the task and the waiter share, so either may be dropped before
/// the other.
#[must_use = "the result is here"]
pub(crate) struct Pending<T> {
    outcome: Arc<Outcome<T>>,
    driver: Arc<dyn Driver>,
}

impl<T: Send + 'static> Pending<T> {
    /// Hands an operation to a driver.
    pub(crate) fn start(driver: Arc<dyn Driver>, operation: BoxFuture<'static, Result<T>>) -> Self {
        let outcome = Arc::new(Outcome(Mutex::new(State::Open(None))));
        let promise = Promise(Arc::clone(&outcome));
        driver.start(Box::pin(async move { promise.keep(operation.await) }));
        Self { outcome, driver }
    }

    /// Waits for the result on the calling thread.
    ///
    /// # Errors
    /// The operation's own error; or it panicked, or there was no result within `limit`.
    pub(crate) fn wait(self, limit: Duration) -> Result<T> {
        let mut result = None;
        {
            let outcome = &self.outcome;
            let mut done = pin!(poll_fn(|context| {
                outcome.poll(context).map(|outcome| result = Some(outcome))
            }));
            self.driver.wait(done.as_mut(), Instant::now() + limit)?;
        }
        result.unwrap_or_else(|| Err(no_result(limit)))
    }
}

#[cold]
fn no_result(limit: Duration) -> Error {
    let text = format!("no result within {limit:?}: the runtime's thread is held up");
    Error::new(ErrorKind::Timeout, text)
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
    fn poll(&self, context: &Context<'_>) -> Poll<Result<T>> {
        let mut state = self.state();
        match mem::replace(&mut *state, State::Taken) {
            State::Done(result) => Poll::Ready(result),
            State::Taken => Poll::Pending,
            State::Open(waker) => {
                let waker = waker.filter(|waker| waker.will_wake(context.waker()));
                *state = State::Open(waker.or_else(|| Some(context.waker().clone())));
                Poll::Pending
            }
        }
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
