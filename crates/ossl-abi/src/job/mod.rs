//! OpenSSL's ASYNC jobs (ASYNC_start_job(3)): a function that is called inside one pauses the job
//! instead of blocking the thread.
//!
//! While it waits, the job's wait context has a descriptor that becomes readable when the job
//! should be resumed, and the host's callback is called, if it has set one. Both belong to an
//! [`Event`] that the wait context and the operation share; the operation knows
//! nothing of the job, which the host may free at any time.
//!
//! libcrypto's functions are looked up in exactly the libcrypto that loads the module. Where they
//! are missing, as in a program that links libcrypto statically and exports nothing, callers block.

mod event;
mod primitives;
mod wait_context;

use std::ffi::{CStr, c_int, c_void};
use std::mem::transmute;
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

use c_abi::{deep, is_on_own_stack, outside};

use self::wait_context::Event;
use crate::library::Library;
use crate::types::AsyncCallback;

/// A pause that is shorter than this was none: the host has disabled pauses (`ASYNC_block_pause`),
/// or resumes the job in a loop. One system call, such as that of an event loop, takes as long. A
/// host may resume a job early for other reasons, such as data from the client.
const NO_PAUSE: Duration = Duration::from_micros(1);

/// After this many of them in a row, the caller blocks.
const MAX_SHORT: u32 = 64;

type Job = c_void;
type WaitContext = c_void;
type CleanupFn = unsafe extern "C" fn(*mut WaitContext, *const c_void, c_int, *mut c_void);

/// Declares libcrypto's functions with their names and prototypes, which have been the same since
/// 1.1.0.
macro_rules! functions {
    ($($field:ident = $symbol:literal: $type:ty;)*) => {
        /// The functions of a libcrypto for ASYNC jobs.
        #[derive(Clone, Copy)]
        pub struct Jobs {
            $($field: $type,)*
            get_callback: Option<GetCallbackFn>,
        }

        /// The functions with their Rust types, to be compared with the headers.
        #[cfg(test)]
        pub(crate) const PROTOTYPES: &[(&CStr, &str)] = &[
            $(($symbol, stringify!($type)),)*
            (GET_CALLBACK, GET_CALLBACK_TYPE),
        ];

        impl Jobs {
            /// The functions of this libcrypto; `None` if it does not export them.
            pub fn of(library: &Library) -> Option<Self> {
                let get_callback = library.symbol(GET_CALLBACK);
                Some(Self {
                    $(
                        // SAFETY: this is libcrypto's function of that name and prototype.
                        $field: unsafe {
                            transmute::<*mut c_void, $type>(library.symbol($symbol)?)
                        },
                    )*
                    get_callback: get_callback.map(|function| {
                        // SAFETY: as above.
                        unsafe { transmute::<*mut c_void, GetCallbackFn>(function) }
                    }),
                })
            }
        }
    };
}

/// From 3.0 on.
const GET_CALLBACK: &CStr = c"ASYNC_WAIT_CTX_get_callback";

macro_rules! get_callback {
    ($($type:tt)*) => {
        type GetCallbackFn = $($type)*;
        #[cfg(test)]
        const GET_CALLBACK_TYPE: &str = stringify!($($type)*);
    };
}

get_callback! {
    unsafe extern "C" fn(*mut WaitContext, *mut AsyncCallback, *mut *mut c_void) -> c_int
}

functions! {
    get_current_job = c"ASYNC_get_current_job": unsafe extern "C" fn() -> *mut Job;
    get_wait_ctx = c"ASYNC_get_wait_ctx": unsafe extern "C" fn(*mut Job) -> *mut WaitContext;
    pause_job = c"ASYNC_pause_job": unsafe extern "C" fn() -> c_int;
    get_fd = c"ASYNC_WAIT_CTX_get_fd": unsafe extern "C" fn(
        *mut WaitContext, *const c_void, *mut c_int, *mut *mut c_void,
    ) -> c_int;
    set_wait_fd = c"ASYNC_WAIT_CTX_set_wait_fd": unsafe extern "C" fn(
        *mut WaitContext, *const c_void, c_int, *mut c_void, CleanupFn,
    ) -> c_int;
    clear_fd = c"ASYNC_WAIT_CTX_clear_fd":
        unsafe extern "C" fn(*mut WaitContext, *const c_void) -> c_int;
}

impl Jobs {
    /// Pauses the current job, if there is one, until `is_ready` returns `true`. Returns early if
    /// the caller has to block instead.
    ///
    /// The caller runs on the job's stack, not on one of [our own](crate::guard::deep): a host may
    /// abandon a paused job, and with it the stack.
    pub fn wait(&self, is_ready: &mut dyn FnMut(&Waker) -> bool) {
        if is_on_own_stack() {
            return;
        }
        // SAFETY: libcrypto's function, without preconditions.
        let job = unsafe { (self.get_current_job)() };
        if job.is_null() {
            return;
        }
        // The event is needed only from here on: a host does not expect to find a descriptor.
        if deep(|| is_ready(Waker::noop())) {
            return;
        }
        // Weak, because an abandoned job never drops what is on its stack.
        let event =
            deep(|| self.event_of(job).map(|(event, is_new)| (Arc::downgrade(&event), is_new)));
        let Some((event, is_new)) = event else {
            return;
        };
        if !self.wait_for(&event, is_new, is_ready) {
            tracing::debug!("an ASYNC job cannot be paused; its thread blocks");
        }
        if let Some(event) = event.upgrade() {
            event.reset();
        }
    }

    /// Whether the operation has ended. Pauses at least once if the event is new: HAProxy crashes if
    /// a wait context has a descriptor that no pause has shown to it.
    fn wait_for(
        &self,
        event: &Weak<Event>,
        is_new: bool,
        is_ready: &mut dyn FnMut(&Waker) -> bool,
    ) -> bool {
        let (mut short, mut is_hidden) = (0, is_new);
        loop {
            let poll = |event: Arc<Event>| {
                let waker = Waker::from(event);
                let has_ended = is_ready(&waker);
                if has_ended && is_hidden {
                    waker.wake();
                }
                has_ended
            };
            match deep(|| event.upgrade().map(poll)) {
                Some(true) if !is_hidden => return true,
                Some(_) => {}
                // The host has freed the wait context of a job that it resumes.
                None => return false,
            }
            let start = Instant::now();
            // SAFETY: this thread is inside a job, on the job's stack.
            if outside(|| unsafe { (self.pause_job)() }) != 1 {
                return false;
            }
            is_hidden = false;
            short = if start.elapsed() < NO_PAUSE { short + 1 } else { 0 };
            if short == MAX_SHORT {
                return false;
            }
        }
    }
}

/// What a host sees of a job's wait context, with stand-ins for libcrypto's functions.
#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::ffi::{c_int, c_void};
    use std::ptr;
    use std::task::Waker;

    use super::{CleanupFn, Job, Jobs, WaitContext};

    /// The one job of this thread, and its wait context.
    #[derive(Default)]
    struct Host {
        /// The descriptor, its data and its cleanup.
        registered: Option<(c_int, *mut c_void, CleanupFn)>,
        /// For each pause, whether the descriptor was readable.
        pauses: Vec<bool>,
    }

    thread_local! {
        static HOST: RefCell<Host> = RefCell::default();
    }

    const JOBS: Jobs = Jobs {
        get_current_job,
        get_wait_ctx,
        pause_job,
        get_fd,
        set_wait_fd,
        clear_fd,
        get_callback: None,
    };

    unsafe extern "C" fn get_current_job() -> *mut Job {
        ptr::dangling_mut()
    }

    unsafe extern "C" fn get_wait_ctx(job: *mut Job) -> *mut WaitContext {
        job
    }

    unsafe extern "C" fn pause_job() -> c_int {
        HOST.with_borrow_mut(|host| {
            let (descriptor, ..) = host.registered.expect("a job that pauses has a descriptor");
            let mut poll = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
            // SAFETY: there is one.
            let ready = unsafe { libc::poll(&raw mut poll, 1, 0) };
            host.pauses.push(ready == 1);
        });
        1
    }

    unsafe extern "C" fn get_fd(
        _context: *mut WaitContext,
        _key: *const c_void,
        descriptor: *mut c_int,
        data: *mut *mut c_void,
    ) -> c_int {
        HOST.with_borrow(|host| {
            let Some(registered) = host.registered else { return 0 };
            // SAFETY: the caller has room for both.
            unsafe { (*descriptor, *data) = (registered.0, registered.1) };
            1
        })
    }

    unsafe extern "C" fn set_wait_fd(
        _context: *mut WaitContext,
        _key: *const c_void,
        descriptor: c_int,
        data: *mut c_void,
        cleanup: CleanupFn,
    ) -> c_int {
        HOST.with_borrow_mut(|host| host.registered = Some((descriptor, data, cleanup)));
        1
    }

    unsafe extern "C" fn clear_fd(_context: *mut WaitContext, _key: *const c_void) -> c_int {
        HOST.with_borrow_mut(|host| host.registered = None);
        1
    }

    /// Waits for an operation that has ended when it is asked this many times, and returns the pauses.
    fn pauses(times: usize) -> Vec<bool> {
        let mut asked = 0;
        JOBS.wait(&mut |_: &Waker| {
            asked += 1;
            asked >= times
        });
        HOST.with_borrow_mut(|host| std::mem::take(&mut host.pauses))
    }

    fn has_descriptor() -> bool {
        HOST.with_borrow(|host| host.registered.is_some())
    }

    /// As libcrypto does when the host frees the wait context.
    fn free_context() {
        if let Some((descriptor, data, cleanup)) = HOST.take().registered {
            // SAFETY: it was registered with this data.
            unsafe { cleanup(ptr::null_mut(), ptr::null(), descriptor, data) };
        }
    }

    #[test]
    fn an_operation_that_has_ended_needs_no_descriptor() {
        assert_eq!((pauses(1), has_descriptor()), (vec![], false));
        free_context();
    }

    #[test]
    fn a_new_descriptor_is_shown_to_the_host_even_if_the_operation_ends_before_the_pause() {
        // It ends between the first question and the one that comes with a waker.
        assert_eq!((pauses(2), has_descriptor()), (vec![true], true));
        // The host knows the descriptor now, and the event is over.
        assert_eq!(pauses(2), []);
        assert_eq!(pauses(4), [false, false]);
        free_context();
    }
}
