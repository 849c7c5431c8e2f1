//! Values that belong to one process id.
//!
//! Servers load keys in one process and use them in others. A child of `fork` has only the thread
//! that forked, so it cannot use its parent's runtime, connection pool or locks. [`PerProcess`]
//! gives every process its own value, created by the first use, without a lock that a fork could
//! leave behind. A child never touches and never drops an inherited value.
//!
//! `akv-model` compiles this file too, against primitives that a model checker schedules.

use std::{
    ops::Deref,
    sync::{Arc, OnceLock},
};

use arc_swap::ArcSwapOption;
use process_abi::ProcessId;

use super::primitives::{Mutex, PoisonError};

/// A value that each process creates for itself.
pub(crate) struct PerProcess<T>(ArcSwapOption<Slot<T>>);

struct Slot<T> {
    process: ProcessId,
    value: OnceLock<T>,
    /// Held while one thread creates the value. A child never waits for it: its process has another
    /// slot.
    initializing: Mutex<()>,
}

/// A value that is borrowed from its process's slot.
pub(crate) struct Current<T>(Arc<Slot<T>>);

impl<T> Deref for Current<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.value.get().expect("a slot is handed out after its value is made")
    }
}

impl<T> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self(ArcSwapOption::const_empty())
    }

    /// The value of this process, created on first use. A failure is not kept: the next use tries
    /// again.
    pub(crate) fn get_or_try_init<E>(
        &self,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Current<T>, E> {
        let slot = self.slot();
        if slot.value.get().is_none() {
            let _one_at_a_time = slot.initializing.lock().unwrap_or_else(PoisonError::into_inner);
            if slot.value.get().is_none() {
                let _ = slot.value.set(make()?);
            }
        }
        Ok(Current(slot))
    }

    fn slot(&self) -> Arc<Slot<T>> {
        let process = process_abi::current();
        loop {
            let current = self.0.load_full();
            if let Some(slot) = current.as_ref().filter(|slot| slot.process == process) {
                return Arc::clone(slot);
            }
            let fresh =
                Arc::new(Slot { process, value: OnceLock::new(), initializing: Mutex::new(()) });
            // The parent's slot is leaked: dropping it would stop threads that do not exist here.
            std::mem::forget(current.clone());
            let before = self.0.compare_and_swap(&current, Some(Arc::clone(&fresh)));
            let won = match (before.as_ref(), current.as_ref()) {
                (None, None) => true,
                (Some(before), Some(current)) => Arc::ptr_eq(before, current),
                _ => false,
            };
            if won {
                return fresh;
            }
        }
    }
}

impl<T> Drop for PerProcess<T> {
    /// A child that never used its parent's value must not drop it either: connections would wake a
    /// runtime whose threads do not exist here.
    fn drop(&mut self) {
        if let Some(slot) = self.0.swap(None)
            && slot.process != process_abi::current()
        {
            std::mem::forget(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_value_is_made_once_by_many_threads() {
        static VALUE: PerProcess<usize> = PerProcess::new();
        static MADE: AtomicUsize = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let value =
                        VALUE.get_or_try_init(|| Ok::<_, ()>(MADE.fetch_add(1, Ordering::SeqCst)));
                    assert!(value.is_ok_and(|value| *value == 0));
                });
            }
        });
        assert_eq!(MADE.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_failure_is_not_kept() {
        let value = PerProcess::new();
        assert_eq!(value.get_or_try_init(|| Err::<u8, _>("no")).err(), Some("no"));
        assert!(value.get_or_try_init(|| Ok::<_, ()>(7)).is_ok_and(|value| *value == 7));
    }

    #[test]
    fn a_value_of_another_process_is_neither_used_nor_dropped() {
        let sentinel = Arc::new(());
        let value = PerProcess::new();
        let held = Arc::clone(&sentinel);
        assert!(value.get_or_try_init(|| Ok::<_, ()>(held)).is_ok());
        assert_eq!(Arc::strong_count(&sentinel), 2);
        drop(value);
        assert_eq!(Arc::strong_count(&sentinel), 1, "one's own value is dropped");

        // The state in a child: a slot of another process, its parent.
        let slot = Slot {
            process: elsewhere(),
            value: OnceLock::from(Arc::clone(&sentinel)),
            initializing: Mutex::new(()),
        };
        let inherited = PerProcess(ArcSwapOption::from_pointee(slot));
        drop(inherited);
        assert_eq!(Arc::strong_count(&sentinel), 2, "a parent's value is left alone");
    }

    /// The identity of another process.
    fn elsewhere() -> ProcessId {
        ProcessId::of_nobody()
    }
}
