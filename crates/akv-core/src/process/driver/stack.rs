//! Stacks of our own, with a guard page, for callers whose own may be tiny.

use corosensei::{on_stack, stack::DefaultStack};
use std::{
    io,
    sync::{Mutex, PoisonError},
};

/// Address space of a stack in bytes. Only what is touched takes memory: some 40 KiB in an
/// optimized build.
const SIZE: usize = 1024 * 1024;

/// How many unused stacks are kept.
const KEPT: usize = 4;

/// Stacks between two uses.
#[derive(Default)]
pub(super) struct Stacks(Mutex<Vec<DefaultStack>>);

impl Stacks {
    /// Runs `work` on this thread, but on another stack than the caller's.
    ///
    /// # Errors
    /// The system gives no memory for a stack.
    pub(super) fn run<R>(&self, work: impl FnOnce() -> R) -> io::Result<R> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut stack = match kept {
            Some(stack) => stack,
            None => DefaultStack::new(SIZE)?,
        };
        let result = on_stack(&mut stack, work);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(stack);
        }
        Ok(result)
    }
}
