//! Our own stacks, with a guard page, for callers with tiny stacks.

use std::{
    io,
    sync::{Mutex, PoisonError},
};

use corosensei::{on_stack, stack::DefaultStack};

/// Address space of a stack in bytes. Only touched pages use memory: some 40 KiB in an optimized
/// build.
const SIZE: usize = 1024 * 1024;

/// How many unused stacks are kept.
const KEPT: usize = 4;

/// Unused stacks.
#[derive(Default)]
pub(super) struct Stacks(Mutex<Vec<DefaultStack>>);

impl Stacks {
    /// Runs `work` on this thread, but on one of our stacks.
    ///
    /// # Errors
    /// The system refuses memory for a stack.
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
