//! Stacks of our own, for callers with a small stack.
//!
//! An OpenSSL ASYNC job has a stack of 32 KiB without a guard page, of which libssl uses up to 13
//! KiB. The body of a function that C calls therefore runs on one of this module's stacks, which is
//! large enough for everything it does: starting threads, parsing, formatting, callbacks into the
//! host.
//!
//! A caller on its thread's native stack stays there if enough of it is left, because garbage
//! collectors, sanitizers and profilers know only that stack.

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use corosensei::on_stack;
use corosensei::stack::{DefaultStack, Stack as _};
use process_abi::stack::{self, left_of};

/// Address space of a stack in bytes. Only pages that are touched use memory.
const SIZE: usize = 1024 * 1024;

/// A nested call stays on the current stack of ours if at least this many bytes are left.
const ENOUGH: usize = SIZE / 2;

/// A caller stays on its thread's native stack if at least this many bytes are left.
const PLENTY: usize = 256 * 1024;

/// How many unused stacks are cached.
const KEPT: usize = 16;

/// Unused stacks. No lock is used: after `fork` a child could find it held.
static UNUSED: [AtomicPtr<DefaultStack>; KEPT] = [const { AtomicPtr::new(ptr::null_mut()) }; KEPT];

thread_local! {
    /// The address range of the stack of ours that this thread runs on. It is wrong if the host
    /// switches stacks in a callback, so the stack pointer is checked too.
    static CURRENT: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// Runs `work`, which must not panic, on a stack of our own, or on the caller's stack if no memory
/// is left for one.
#[inline(never)]
pub(crate) fn on_own_stack<R>(work: impl FnOnce() -> R) -> R {
    // AddressSanitizer would need to be notified of each switch.
    if cfg!(fuzzing) || has_room() {
        return work();
    }
    let Some(mut own) = take() else { return work() };
    let (limit, base) = (own.limit().get(), own.base().get());
    let before = CURRENT.replace((limit, base));
    let result = on_stack(&mut *own, || {
        // Here because it reads a file for the main thread, which needs stack.
        stack::determine();
        work()
    });
    CURRENT.set(before);
    give_back(own);
    result
}

/// Whether the caller runs on a stack of this module, which it must not leave.
#[inline(never)]
pub fn is_on_own_stack() -> bool {
    left_of(CURRENT.get()) > 0
}

#[inline(never)]
fn has_room() -> bool {
    stack::left() >= PLENTY || left_of(CURRENT.get()) >= ENOUGH
}

fn take() -> Option<Box<DefaultStack>> {
    for slot in &UNUSED {
        if !slot.load(Ordering::Relaxed).is_null() {
            let stack = slot.swap(ptr::null_mut(), Ordering::Acquire);
            if !stack.is_null() {
                // SAFETY: `give_back` stored it, and the swap made us its only owner.
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
    // SAFETY: it comes from a box, and no slot has taken it.
    drop(unsafe { Box::from_raw(stack) });
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    fn address() -> usize {
        let here = 0_u8;
        (&raw const here).addr()
    }

    /// Uses more than half of one of our stacks, unless it is called on another one.
    #[inline(never)]
    fn deep(bytes: usize) -> bool {
        let taken = [0_u8; 4096];
        black_box(&taken);
        if bytes == 0 { has_room() } else { deep(bytes.saturating_sub(taken.len())) }
    }

    /// Runs `test` on a thread whose stack is too small to stay on.
    fn on_small_stack(test: impl FnOnce() + Send + 'static) {
        let thread = std::thread::Builder::new().stack_size(PLENTY / 2).spawn(test);
        thread.expect("a thread").join().expect("no panic");
    }

    #[test]
    fn work_of_a_small_stack_runs_elsewhere_and_stays_there_while_there_is_room() {
        on_small_stack(|| {
            for _ in 0..2 {
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
        });
    }

    #[test]
    fn work_stays_on_a_large_stack_of_its_thread() {
        let thread = std::thread::Builder::new().stack_size(8 * PLENTY).spawn(|| {
            on_own_stack(|| {});
            assert!(has_room());
            assert!(address().abs_diff(on_own_stack(address)) < 64 * 1024, "the same stack");
            assert!(!deep(7 * PLENTY + PLENTY / 2), "near its end it is small");
        });
        thread.expect("a thread").join().expect("no panic");
    }

    #[test]
    fn threads_share_the_stacks() {
        std::thread::scope(|scope| {
            for _ in 0..2 * KEPT {
                let small = std::thread::Builder::new().stack_size(PLENTY / 2);
                let thread = small.spawn_scoped(scope, || {
                    for number in 0..200 {
                        let text = on_own_stack(|| on_own_stack(|| format!("{number}")));
                        assert_eq!(text, number.to_string());
                    }
                });
                thread.expect("a thread");
            }
        });
    }
}
