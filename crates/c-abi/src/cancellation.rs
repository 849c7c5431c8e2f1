//! Threads of the host that somebody may cancel (`pthread_cancel`).
//!
//! glibc ends a cancelled thread by unwinding its stack. Through Rust frames that is undefined
//! behaviour, and in practice the process aborts. So cancellation is disabled while code of ours is
//! on the stack, callbacks into the host included, and put back to what it was on the way out: the
//! thread ends at its next cancellation point after the call.

/// Runs `body` with the thread's cancellation disabled, and restores the state that the host had
/// set. May be nested.
///
/// It does not act on a pending cancellation by itself: that happens at the thread's next
/// cancellation point, which is the host's.
pub fn uncancelled<R>(body: impl FnOnce() -> R) -> R {
    let _disabled = posix::Disabled::new();
    body()
}

#[cfg(not(target_os = "android"))]
mod posix {
    use std::ffi::c_int;
    use std::marker::PhantomData;

    /// `PTHREAD_CANCEL_DISABLE` of `<pthread.h>`.
    pub(super) const DISABLE: c_int = if cfg!(target_vendor = "apple") { 0 } else { 1 };

    unsafe extern "C" {
        /// POSIX; the libc crate lacks it for most systems.
        fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
    }

    /// Sets the calling thread's state and returns the one before, or `None` when it refuses.
    pub(super) fn swap(state: c_int) -> Option<c_int> {
        let mut before = state;
        // SAFETY: the old state goes to a variable; a state that does not exist is refused.
        let result = unsafe { pthread_setcancelstate(state, &mut before) };
        (result == 0).then_some(before)
    }

    /// The calling thread cannot be cancelled while this lives.
    pub(super) struct Disabled {
        /// What the host had set, when that was something else.
        before: Option<c_int>,
        /// The state is the thread's own, so this must not move to another one.
        _of_this_thread: PhantomData<*const ()>,
    }

    impl Disabled {
        pub(super) fn new() -> Self {
            let before = swap(DISABLE).filter(|before| *before != DISABLE);
            Self { before, _of_this_thread: PhantomData }
        }
    }

    impl Drop for Disabled {
        fn drop(&mut self) {
            if let Some(before) = self.before {
                swap(before);
            }
        }
    }
}

/// Bionic has no `pthread_cancel`.
#[cfg(target_os = "android")]
mod posix {
    pub(super) struct Disabled;

    impl Disabled {
        pub(super) const fn new() -> Self {
            Self
        }
    }
}

#[cfg(all(test, not(target_os = "android")))]
mod tests {
    use super::posix::{DISABLE, swap};
    use super::*;

    #[test]
    fn cancellation_is_disabled_inside_and_as_before_outside() {
        // A new thread can be cancelled (pthread_setcancelstate(3)).
        let enabled = swap(DISABLE).expect("a state");
        assert_ne!(enabled, DISABLE);
        for before in [enabled, DISABLE] {
            swap(before);
            let nested = uncancelled(|| (uncancelled(|| swap(DISABLE)), swap(DISABLE)));
            assert_eq!(nested, (Some(DISABLE), Some(DISABLE)));
            assert_eq!(swap(before), Some(before));
            let unwound = std::panic::catch_unwind(|| uncancelled(|| panic!("a bug")));
            assert!(unwound.is_err());
            assert_eq!(swap(before), Some(before), "also after a panic");
        }
        swap(enabled);
    }
}
