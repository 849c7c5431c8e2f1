//! Protection against thread cancellation (`pthread_cancel`) by the host.
//!
//! glibc ends a cancelled thread by unwinding its stack. Unwinding Rust frames this way is
//! undefined behaviour; in practice the process aborts. Cancellation is therefore disabled while
//! our code is on the stack, including callbacks into the host, and the previous state is restored
//! on return. The thread ends at its next cancellation point after the call.

/// Runs `body` with cancellation of the calling thread disabled, then restores the previous state.
/// Calls can be nested.
///
/// This function is not a cancellation point: a pending cancellation takes effect at the next
/// cancellation point in the host.
pub fn uncancelled<R>(body: impl FnOnce() -> R) -> R {
    let _disabled = posix::Disabled::new();
    body()
}

/// Runs `leave`, which leaves the stack of a call in the guard and may return on another thread,
/// such as `ASYNC_pause_job`. Meanwhile the thread has the cancellation state that it had before
/// the call. On return, the cancellation of the current thread is disabled.
#[inline(never)]
pub fn outside<R>(leave: impl FnOnce() -> R) -> R {
    posix::outside(leave)
}

#[cfg(not(target_os = "android"))]
mod posix {
    use std::cell::Cell;
    use std::ffi::c_int;
    use std::marker::PhantomData;

    /// `PTHREAD_CANCEL_DISABLE` of `<pthread.h>`.
    pub(super) const DISABLE: c_int = if cfg!(target_vendor = "apple") { 0 } else { 1 };

    unsafe extern "C" {
        /// POSIX, but the libc crate lacks it on most systems.
        fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
    }

    /// Sets the calling thread's cancellation state. Returns the previous state, or `None` on
    /// failure.
    pub(super) fn swap(state: c_int) -> Option<c_int> {
        let mut before = state;
        // SAFETY: the previous state is written to a local variable; an invalid state is rejected.
        let result = unsafe { pthread_setcancelstate(state, &mut before) };
        (result == 0).then_some(before)
    }

    thread_local! {
        /// The state to restore when the outermost call in the guard returns, if it was not
        /// already disabled.
        static BEFORE: Cell<Option<c_int>> = const { Cell::new(None) };
    }

    /// Disables cancellation of the calling thread. Returns whether it was enabled.
    ///
    /// The functions that use the thread-local are not inlined: the compiler may keep its address
    /// across a call, and after [`outside`] it would be that of another thread.
    #[inline(never)]
    fn disable() -> bool {
        let before = swap(DISABLE).filter(|before| *before != DISABLE);
        if before.is_some() {
            BEFORE.set(before);
        }
        before.is_some()
    }

    /// Restores the state before [`disable`].
    #[inline(never)]
    fn restore() {
        if let Some(before) = BEFORE.take() {
            swap(before);
        }
    }

    pub(super) fn outside<R>(leave: impl FnOnce() -> R) -> R {
        restore();
        let result = leave();
        disable();
        result
    }

    /// Keeps the calling thread from being cancelled while it is alive.
    pub(super) struct Disabled {
        is_outermost: bool,
        /// The state belongs to the thread, so this type must not be `Send`.
        _of_this_thread: PhantomData<*const ()>,
    }

    impl Disabled {
        pub(super) fn new() -> Self {
            Self { is_outermost: disable(), _of_this_thread: PhantomData }
        }
    }

    impl Drop for Disabled {
        fn drop(&mut self) {
            if self.is_outermost {
                restore();
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

    pub(super) fn outside<R>(leave: impl FnOnce() -> R) -> R {
        leave()
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
