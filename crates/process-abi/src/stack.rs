//! The stack that the system gave a thread.

#[cfg(target_os = "linux")]
use std::{mem::MaybeUninit, ptr};

/// The address range of the calling thread's native stack, whichever stack it runs on now. `None`
/// if it is unknown. For the first thread of a process this reads `/proc/self/maps`.
#[cfg(target_os = "linux")]
pub fn native() -> Option<(usize, usize)> {
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

/// The address range of the calling thread's native stack: unknown on this system.
#[cfg(not(target_os = "linux"))]
pub fn native() -> Option<(usize, usize)> {
    None
}

/// How many bytes are left between the caller and the end of the stack with this address range. 0
/// if the caller runs on another one.
#[inline(never)]
pub fn left((limit, base): (usize, usize)) -> usize {
    let here = 0_u8;
    let here = (&raw const here).addr();
    if (limit..base).contains(&here) { here - limit } else { 0 }
}

#[cfg(test)]
mod tests {
    use std::{hint::black_box, thread};

    use super::*;

    #[inline(never)]
    fn deeper(stack: (usize, usize)) -> usize {
        let taken = [0_u8; USED];
        black_box(&taken);
        left(stack)
    }

    const USED: usize = 64 * 1024;

    #[test]
    fn each_frame_leaves_less() {
        const SIZE: usize = 512 * 1024;
        let look = || {
            let stack = native().unwrap();
            (left(stack), deeper(stack))
        };
        let thread = thread::Builder::new().stack_size(SIZE).spawn(look);
        let (here, there) = thread.unwrap().join().unwrap();
        assert!(here >= SIZE - USED, "{here}");
        assert!((USED..2 * USED).contains(&(here - there)), "{here} {there}");
    }

    #[test]
    fn nothing_is_left_of_another_threads_stack() {
        let other = thread::spawn(native).join().unwrap().unwrap();
        assert_eq!(left(other), 0);
    }
}
