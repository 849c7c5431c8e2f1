//! OpenSSL's ASYNC jobs (ASYNC_start_job(3)): a function that is called inside one pauses the job
//! instead of blocking the thread.
//!
//! While it waits, the job's wait context has a descriptor that becomes readable when the job
//! should be resumed, and the host's callback is called, if it has set one. Both belong to an
//! [`Event`](event::Event) that the wait context and the operation share; the operation knows
//! nothing of the job, which the host may free at any time.
//!
//! libcrypto's functions are looked up in exactly the libcrypto that loads the module. Where they
//! are missing, as in a program that links libcrypto statically and exports nothing, callers block.

mod event;

use std::ffi::{CStr, c_int, c_void};
use std::mem::transmute;
use std::ptr;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use c_abi::{deep, is_on_own_stack, outside};

use self::event::{Event, KEY, cleanup};
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
        let Some(event) = deep(|| self.event_of(job)) else { return };
        if !self.wait_for(&event, is_ready) {
            tracing::debug!("an ASYNC job cannot be paused; its thread blocks");
        }
        event.reset();
    }

    /// Whether the operation has ended.
    fn wait_for(&self, event: &Arc<Event>, is_ready: &mut dyn FnMut(&Waker) -> bool) -> bool {
        let waker = Waker::from(Arc::clone(event));
        let mut short = 0;
        while !deep(|| is_ready(&waker)) {
            let start = Instant::now();
            // SAFETY: this thread is inside a job, on the job's stack.
            if outside(|| unsafe { (self.pause_job)() }) != 1 {
                return false;
            }
            short = if start.elapsed() < NO_PAUSE { short + 1 } else { 0 };
            if short == MAX_SHORT {
                return false;
            }
        }
        true
    }

    /// The event of the job's wait context. It is created by the first operation, and closed with
    /// the context.
    fn event_of(&self, job: *mut Job) -> Option<Arc<Event>> {
        // SAFETY: the job is the current one.
        let context = unsafe { (self.get_wait_ctx)(job) };
        if context.is_null() {
            return None;
        }
        let event = match self.known_event(context) {
            Some(event) => event,
            None => self.new_event(context)?,
        };
        let (mut callback, mut argument) = (None, ptr::null_mut());
        if let Some(get_callback) = self.get_callback {
            // SAFETY: the context is alive, and there is room for both values.
            let found = unsafe { get_callback(context, &mut callback, &mut argument) };
            event.set_callback(callback.filter(|_| found == 1), argument);
        }
        Some(event)
    }

    fn known_event(&self, context: *mut WaitContext) -> Option<Arc<Event>> {
        let (mut number, mut data) = (-1, ptr::null_mut());
        // SAFETY: the context is alive, and there is room for both values.
        if unsafe { (self.get_fd)(context, KEY.address(), &mut number, &mut data) } != 1 {
            return None;
        }
        // SAFETY: only `new_event` uses this key. Its data is an `Arc` whose reference the context
        // holds until `cleanup`.
        let event = unsafe {
            Arc::increment_strong_count(data.cast::<Event>());
            Arc::from_raw(data.cast::<Event>())
        };
        if event.is_of_this_process() {
            return Some(event);
        }
        // A parent's: the child would wake the parent's job.
        // SAFETY: the context is alive. It forgets the descriptor and the reference, which are
        // released here.
        unsafe {
            (self.clear_fd)(context, KEY.address());
            cleanup(context, KEY.address(), number, data);
        }
        None
    }

    fn new_event(&self, context: *mut WaitContext) -> Option<Arc<Event>> {
        let event = Event::new().inspect_err(|error| {
            tracing::info!(%error, "no descriptor for an ASYNC job; its thread blocks");
        });
        let event = Arc::new(event.ok()?);
        let data = Arc::into_raw(Arc::clone(&event)).cast_mut().cast();
        let number = event.number();
        // SAFETY: the context is alive, and passes key, descriptor and data to `cleanup`.
        let set = unsafe { (self.set_wait_fd)(context, KEY.address(), number, data, cleanup) };
        if set != 1 {
            // SAFETY: the context has not taken the reference.
            unsafe { cleanup(context, KEY.address(), number, data) };
            return None;
        }
        Some(event)
    }
}
