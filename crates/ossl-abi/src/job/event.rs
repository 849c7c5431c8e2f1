//! The event that resumes a paused job.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::io;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

use process_abi::ProcessId;
use process_abi::event::EventDescriptor;

use crate::guard;
use crate::types::{AsyncCallback, AsyncCallbackFn};

/// Identifies our descriptor in a wait context, by its address.
pub(super) struct Key(u8);

/// A static of our own, so that no other module's key has the same address.
pub(super) static KEY: Key = Key(0);

impl Key {
    pub(super) fn address(&'static self) -> *const c_void {
        (&raw const self.0).cast()
    }
}

/// Shared by a wait context and the operations that were started in its jobs. They know nothing of
/// a job or a connection, which may be freed at any time.
pub(super) struct Event {
    process: ProcessId,
    /// The wait context's descriptor; `None` once the context is gone.
    of_context: Mutex<Option<EventDescriptor>>,
    number: c_int,
    /// The operations' own descriptor of the same event.
    ours: EventDescriptor,
    callback: Mutex<Callback>,
}

/// The host's callback. It dereferences the host's connection, so it must not be called once the
/// wait context is gone; its lock is held during the call.
#[derive(Default)]
struct Callback {
    function: Option<AsyncCallbackFn>,
    argument: Argument,
}

/// The host's argument for its callback.
#[derive(Clone, Copy)]
struct Argument(*mut c_void);

// SAFETY: the pointer is only passed back to the host, whose callback may be called from any thread
// (ASYNC_WAIT_CTX_set_callback(3)).
unsafe impl Send for Argument {}

impl Default for Argument {
    fn default() -> Self {
        Self(ptr::null_mut())
    }
}

impl Event {
    pub(super) fn new() -> io::Result<Self> {
        let of_context = EventDescriptor::new()?;
        Ok(Self {
            process: process_abi::current(),
            number: of_context.number(),
            ours: of_context.duplicate()?,
            of_context: Mutex::new(Some(of_context)),
            callback: Mutex::default(),
        })
    }

    /// The number of the wait context's descriptor.
    pub(super) fn number(&self) -> c_int {
        self.number
    }

    pub(super) fn is_of_this_process(&self) -> bool {
        process_abi::current() == self.process
    }

    /// The descriptor is not readable any more.
    pub(super) fn reset(&self) {
        self.ours.reset();
    }

    pub(super) fn set_callback(&self, function: AsyncCallback, argument: *mut c_void) {
        let mut callback = locked(&self.callback);
        (callback.function, callback.argument) = (function, Argument(argument));
    }

    /// The wait context is gone: closes its descriptor, and waits until its callback has returned.
    fn close(&self) {
        // In a child of `fork`, the locks may have been held by a thread of the parent.
        let descriptor = self.of_context.try_lock().ok().and_then(|mut held| held.take());
        drop(descriptor);
        if !self.is_of_this_process() {
            return;
        }
        // A callback that frees its own context must not wait for itself.
        let mut callback = match self.callback.try_lock() {
            Ok(callback) => callback,
            Err(_) if CALLING.get() == Some(ptr::from_ref(self).addr()) => return,
            Err(_) => locked(&self.callback),
        };
        *callback = Callback::default();
    }
}

thread_local! {
    /// The event whose callback this thread is inside.
    static CALLING: Cell<Option<usize>> = const { Cell::new(None) };
}

impl Wake for Event {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_of_this_process() {
            return;
        }
        self.ours.signal();
        let callback = locked(&self.callback);
        let Callback { function: Some(function), argument } = *callback else { return };
        let before = CALLING.replace(Some(Arc::as_ptr(self).addr()));
        // SAFETY: the host set the function with this argument, and has not freed the wait context:
        // its cleanup takes the lock that is held here.
        unsafe { function(argument.0) };
        CALLING.set(before);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// libcrypto calls this when it frees a wait context.
///
/// # Safety
/// `event` is from [`Arc::into_raw`], and the context does not use its reference again.
pub(super) unsafe extern "C" fn cleanup(
    _context: *mut c_void,
    _key: *const c_void,
    _descriptor: c_int,
    event: *mut c_void,
) {
    guard::catch_panic("ASYNC_WAIT_CTX cleanup", (), || {
        // SAFETY: guaranteed by the caller.
        let event = unsafe { Arc::from_raw(event.cast::<Event>().cast_const()) };
        event.close();
    });
}
