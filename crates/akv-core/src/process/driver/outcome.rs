//! The result of an operation, in memory that its task and its waiter share, so that either may go
//! first.
//!
//! `akv-model` compiles this file too, against primitives that a model checker schedules.

use std::{
    mem,
    sync::Arc,
    task::{Poll, Waker},
};

use crate::{
    Error, ErrorKind, Result,
    process::primitives::{Mutex, MutexGuard, PoisonError},
};

/// The state that the task and the waiter share.
pub(crate) struct Outcome<T>(Mutex<State<T>>);

enum State<T> {
    /// There is no result yet; holds the waker to call.
    Open(Option<Waker>),
    Done(Result<T>),
    Taken,
}

impl<T> Outcome<T> {
    /// Takes the result.
    pub(crate) fn poll(&self, waker: &Waker) -> Poll<Result<T>> {
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
    pub(crate) fn cancel(&self) -> bool {
        matches!(mem::replace(&mut *self.state(), State::Taken), State::Open(_))
    }

    /// Gives up the result in a child of `fork`, where the lock may be held by a thread that does not
    /// exist there.
    pub(crate) fn cancel_in_child(&self) {
        if let Ok(mut state) = self.0.try_lock() {
            *state = State::Taken;
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
pub(crate) struct Promise<T>(Arc<Outcome<T>>);

impl<T> Promise<T> {
    /// Both sides of an operation.
    pub(crate) fn new() -> (Arc<Outcome<T>>, Self) {
        let outcome = Arc::new(Outcome(Mutex::new(State::Open(None))));
        (Arc::clone(&outcome), Self(outcome))
    }

    /// The operation has ended.
    pub(crate) fn keep(self, result: Result<T>) {
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
