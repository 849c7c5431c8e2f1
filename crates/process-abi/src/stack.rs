//! The stack that the system gave a thread.

use std::cell::Cell;
#[cfg(target_os = "linux")]
use std::{mem::MaybeUninit, ptr};

thread_local! {
    /// Its address range, once determined. Empty if the system does not know it.
    static NATIVE: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
}

/// Determines the address range of the calling thread's native stack, whichever stack it runs on
/// now, unless that is done. For the first thread of a process this reads `/proc/self/maps`.
pub fn determine() {
    if NATIVE.get().is_none() {
        NATIVE.set(Some(native().unwrap_or_default()));
    }
}

/// How many bytes of its native stack the calling thread has left. 0 if it runs on another stack,
/// or the range has not been [determined](determine).
#[inline(never)]
pub fn left() -> usize {
    left_of(NATIVE.get().unwrap_or_default())
}

/// How many bytes are left between the caller and the end of the stack with this address range. 0
/// if it runs on another stack.
#[inline(never)]
pub fn left_of((limit, base): (usize, usize)) -> usize {
    let here = 0_u8;
    let here = (&raw const here).addr();
    if (limit..base).contains(&here) { here - limit } else { 0 }
}

#[cfg(target_os = "linux")]
fn native() -> Option<(usize, usize)> {
    let mut attributes = MaybeUninit::uninit();
    let (mut limit, mut size) = (ptr::null_mut(), 0);
    // SAFETY: the first function initializes the attributes or fails, the second reads them into
    // local variables, and the last frees what the first allocated (pthread_getattr_np(3)).
    let known = unsafe {
        libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) == 0 && {
            let known = libc::pthread_attr_getstack(attributes.as_ptr(), &mut limit, &mut size);
            libc::pthread_attr_destroy(attributes.as_mut_ptr());
            known == 0
        }
    };
    known.then(|| (limit.addr(), limit.addr().saturating_add(size)))
}

#[cfg(not(target_os = "linux"))]
fn native() -> Option<(usize, usize)> {
    None
}

#[cfg(test)]
mod tests {
    use std::{hint::black_box, thread};

    use super::*;

    const USED: usize = 64 * 1024;

    #[inline(never)]
    fn deeper() -> usize {
        let taken = [0_u8; USED];
        black_box(&taken);
        left()
    }

    #[test]
    fn each_frame_leaves_less() {
        const SIZE: usize = 512 * 1024;
        let look = || {
            let before = left();
            determine();
            (before, left(), deeper())
        };
        let thread = thread::Builder::new().stack_size(SIZE).spawn(look);
        let (before, here, there) = thread.unwrap().join().unwrap();
        assert_eq!(before, 0);
        assert!(here >= SIZE - USED, "{here}");
        assert!((USED..2 * USED).contains(&(here - there)), "{here} {there}");
    }

    #[test]
    fn nothing_is_left_of_another_stack() {
        let other = thread::spawn(native).join().unwrap().unwrap();
        assert_eq!(left_of(other), 0);
    }
}
