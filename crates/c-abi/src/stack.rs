//! Stacks of our own, for callers whose own is tiny.
//!
//! An OpenSSL ASYNC job has 32 KiB of stack and no guard page, of which libssl takes up to 13 KiB.
//! So the body of every function that C calls runs on a stack of this module's, with room for
//! whatever it does: starting threads, parsing, formatting, callbacks into the host.

use corosensei::on_stack;
use corosensei::stack::{DefaultStack, Stack as _};
use std::cell::Cell;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Address space of a stack in bytes. Only what is touched takes memory.
const SIZE: usize = 1024 * 1024;

/// With so many bytes left on a stack of ours, a nested call stays on it.
const ENOUGH: usize = SIZE / 2;

/// How many unused stacks are kept.
const KEPT: usize = 16;

/// Unused stacks. There is no lock, which a child of `fork` could find held.
static UNUSED: [AtomicPtr<DefaultStack>; KEPT] = [const { AtomicPtr::new(ptr::null_mut()) }; KEPT];

thread_local! {
    /// The addresses of the stack of ours that this thread runs on. A host that switches stacks in
    /// a callback makes this wrong, so the stack pointer is looked at too.
    static CURRENT: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// Runs `work`, which does not panic, on a stack of our own, or on the caller's where the system has
/// no memory for one.
#[inline(never)]
pub(crate) fn on_own_stack<R>(work: impl FnOnce() -> R) -> R {
    // AddressSanitizer would have to be told of each switch.
    if cfg!(fuzzing) || has_room() {
        return work();
    }
    let Some(mut stack) = take() else { return work() };
    let (limit, base) = (stack.limit().get(), stack.base().get());
    let before = CURRENT.replace((limit, base));
    let result = on_stack(&mut *stack, work);
    CURRENT.set(before);
    give_back(stack);
    result
}

fn has_room() -> bool {
    let (limit, base) = CURRENT.get();
    let room = Range { start: limit.saturating_add(ENOUGH), end: base };
    let here = 0_u8;
    room.contains(&(&raw const here).addr())
}

fn take() -> Option<Box<DefaultStack>> {
    for slot in &UNUSED {
        if !slot.load(Ordering::Relaxed).is_null() {
            let stack = slot.swap(ptr::null_mut(), Ordering::Acquire);
            if !stack.is_null() {
                // SAFETY: `give_back` put it there, and nobody else has taken it.
                return Some(unsafe { Box::from_raw(stack) });
            }
        }
    }
    DefaultStack::new(SIZE).ok().map(Box::new)
}

fn give_back(stack: Box<DefaultStack>) {
    let stack = Box::into_raw(stack);
    let empty = ptr::null_mut();
    for slot in &UNUSED {
        if slot.compare_exchange(empty, stack, Ordering::Release, Ordering::Relaxed).is_ok() {
            return;
        }
    }
    // SAFETY: it was a box, and no slot has taken it.
    drop(unsafe { Box::from_raw(stack) });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;

    fn address() -> usize {
        let here = 0_u8;
        (&raw const here).addr()
    }

    /// Takes more than the main part of a stack of ours, unless it is called on another one.
    #[inline(never)]
    fn deep(bytes: usize) -> bool {
        let taken = [0_u8; 4096];
        black_box(&taken);
        if bytes == 0 { has_room() } else { deep(bytes.saturating_sub(taken.len())) }
    }

    #[test]
    fn work_runs_elsewhere_and_nested_work_stays_there_while_there_is_room() {
        let outside = address();
        let (inside, nested, room) = on_own_stack(|| {
            let nested = on_own_stack(address);
            (address(), nested, has_room())
        });
        assert!(outside.abs_diff(inside) > 64 * 1024, "another stack");
        assert!(inside.abs_diff(nested) < 64 * 1024, "the same stack");
        assert!(room && !has_room());
        assert!(!on_own_stack(|| deep(ENOUGH + 64 * 1024)));
    }

    #[test]
    fn threads_share_the_stacks() {
        std::thread::scope(|scope| {
            for _ in 0..2 * KEPT {
                scope.spawn(|| {
                    for number in 0..200 {
                        let text = on_own_stack(|| on_own_stack(|| format!("{number}")));
                        assert_eq!(text, number.to_string());
                    }
                });
            }
        });
    }
}
