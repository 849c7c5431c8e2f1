//! The parts of tokio that akv-core uses, on shuttle's executor.

/// Starts a detached task.
pub fn spawn<F>(future: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    drop(shuttle::future::spawn(future));
}

/// `tokio::time` with a clock that a scenario moves.
pub mod time {
    use std::{cell::RefCell, sync::Arc, time::Duration};

    use shuttle::future::batch_semaphore::{BatchSemaphore, Fairness};

    thread_local! {
        /// A permit for each sleep that may end.
        static ENDS: RefCell<Option<Arc<BatchSemaphore>>> = const { RefCell::new(None) };
    }

    fn ends() -> Arc<BatchSemaphore> {
        let ends = ENDS.with_borrow(Option::clone);
        ends.expect("the scenario has reset the clock")
    }

    /// Must be called first in each run of a scenario.
    pub(crate) fn reset() {
        let ends = Arc::new(BatchSemaphore::new(0, Fairness::StrictlyFair));
        ENDS.with_borrow_mut(|place| *place = Some(ends));
    }

    /// Lets this many sleeps end, now or when they begin.
    pub(crate) fn pass(sleeps: usize) {
        ends().release(sleeps);
    }

    /// Sleeps until a scenario lets time pass.
    pub async fn sleep(_pause: Duration) {
        ends().acquire(1).await.expect("never closed");
    }

    /// The deadline has passed.
    #[derive(Debug)]
    pub struct Elapsed;

    /// The future's result. A passed deadline is modelled by the future's failure.
    ///
    /// # Errors
    /// None here.
    pub async fn timeout<F: Future>(_limit: Duration, future: F) -> Result<F::Output, Elapsed> {
        Ok(future.await)
    }
}

/// `tokio::sync`.
pub mod sync {
    use std::{
        fmt,
        ops::{Deref, DerefMut},
        sync::{self, PoisonError},
    };

    use shuttle::future::batch_semaphore::{BatchSemaphore, Fairness};

    /// A fair lock.
    pub struct Mutex<T> {
        permit: BatchSemaphore,
        /// `None` while the mutex is locked.
        value: sync::Mutex<Option<T>>,
    }

    /// The [`Mutex`] is locked.
    #[derive(Debug)]
    pub struct Locked;

    /// Access to the value of a [`Mutex`].
    pub struct Guard<'a, T> {
        lock: &'a Mutex<T>,
        value: Option<T>,
    }

    impl<T> Mutex<T> {
        /// Waits for its turn.
        pub async fn lock(&self) -> Guard<'_, T> {
            self.permit.acquire(1).await.expect("never closed");
            Guard { lock: self, value: self.place().take() }
        }

        /// The value, if the mutex is not locked.
        ///
        /// # Errors
        /// The mutex is locked.
        pub fn try_lock(&self) -> Result<Guard<'_, T>, Locked> {
            self.permit.try_acquire(1).map_err(|_| Locked)?;
            Ok(Guard { lock: self, value: self.place().take() })
        }

        fn place(&self) -> sync::MutexGuard<'_, Option<T>> {
            self.value.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl<T: Default> Default for Mutex<T> {
        fn default() -> Self {
            let permit = BatchSemaphore::new(1, Fairness::StrictlyFair);
            Self { permit, value: sync::Mutex::new(Some(T::default())) }
        }
    }

    impl<T> fmt::Debug for Mutex<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Mutex")
        }
    }

    impl<T> Deref for Guard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.value.as_ref().expect("only one has the permit")
        }
    }

    impl<T> DerefMut for Guard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.value.as_mut().expect("only one has the permit")
        }
    }

    impl<T> Drop for Guard<'_, T> {
        fn drop(&mut self) {
            *self.lock.place() = self.value.take();
            self.lock.permit.release(1);
        }
    }
}
