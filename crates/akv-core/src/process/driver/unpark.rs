//! Wakers of threads.

use std::{
    sync::Arc,
    task::{Wake, Waker},
    thread::{self, Thread},
};

/// Wakes a thread.
pub(super) struct Unpark(Thread);

impl Unpark {
    /// The waker of this thread. One is kept for each thread.
    pub(super) fn waker() -> Waker {
        thread_local! {
            static WAKER: Waker = Unpark::new_waker();
        }
        // During thread exit the thread-local is gone.
        WAKER.try_with(Waker::clone).unwrap_or_else(|_| Self::new_waker())
    }

    fn new_waker() -> Waker {
        Waker::from(Arc::new(Self(thread::current())))
    }
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
