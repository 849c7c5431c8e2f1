//! The event in a job's wait context.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::Arc;

use process_abi::event::EventDescriptor;

use super::Jobs;
use super::event::{self, Callback, Descriptor};
use super::functions::{Job, WaitContext};
use crate::constants::ASYNC_STATUS_OK;
use crate::guard;
use crate::types::AsyncCallbackFn;

/// The event of a wait context.
pub(super) type Event = event::Event<EventDescriptor, HostCallback>;

/// Identifies our descriptor in a wait context, by its address.
struct Key(u8);

/// A static of our own, so that no other module's key has the same address.
static KEY: Key = Key(0);

impl Key {
    fn address(&'static self) -> *const c_void {
        (&raw const self.0).cast()
    }
}

impl Descriptor for EventDescriptor {
    fn signal(&self) {
        self.signal();
    }

    fn reset(&self) {
        self.reset();
    }
}

/// A callback that the host has set with ASYNC_WAIT_CTX_set_callback(3), and its argument.
#[derive(Clone, Copy)]
pub(super) struct HostCallback {
    function: AsyncCallbackFn,
    argument: *mut c_void,
}

// SAFETY: the argument is only passed back to the host, whose callback may be called from any
// thread.
unsafe impl Send for HostCallback {}

impl Callback for HostCallback {
    fn call(&self) {
        // SAFETY: the host set the function with this argument, and has not freed the wait context.
        unsafe { (self.function)(self.argument) };
    }
}

impl Jobs {
    /// The wait context of the current job.
    pub(super) fn context_of(&self, job: *mut Job) -> Option<*mut WaitContext> {
        // SAFETY: the job is the current one.
        let context = unsafe { (self.get_wait_ctx)(job) };
        Some(context).filter(|context| !context.is_null())
    }

    /// The event of a wait context, and whether it is new. It is created by the first operation that
    /// waits, and closed with the context.
    pub(super) fn event_of(&self, context: *mut WaitContext) -> Option<(Arc<Event>, bool)> {
        let (event, is_new) = match self.known_event(context) {
            Some(event) => (event, false),
            None => (self.new_event(context)?, true),
        };
        event.set_callback(self.callback_of(context));
        Some((event, is_new))
    }

    /// The host's callback, if it has set one. The context's status then tells the host to expect
    /// its call.
    fn callback_of(&self, context: *mut WaitContext) -> Option<HostCallback> {
        let (mut function, mut argument) = (None, ptr::null_mut());
        // SAFETY: the context is alive, and there is room for both values.
        let found = unsafe { self.get_callback?(context, &mut function, &mut argument) };
        let function = function.filter(|_| found == 1)?;
        if let Some(set_status) = self.set_status {
            // SAFETY: the context is alive.
            unsafe { set_status(context, ASYNC_STATUS_OK) };
        }
        Some(HostCallback { function, argument })
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
        drop(event);
        self.forget(context);
        None
    }

    /// Removes the event from its wait context.
    pub(super) fn forget(&self, context: *mut WaitContext) {
        let (mut number, mut data) = (-1, ptr::null_mut());
        // SAFETY: the context is alive. It forgets the descriptor and the reference, which are
        // released here.
        unsafe {
            if (self.get_fd)(context, KEY.address(), &mut number, &mut data) == 1 {
                (self.clear_fd)(context, KEY.address());
                cleanup(context, KEY.address(), number, data);
            }
        }
    }

    fn new_event(&self, context: *mut WaitContext) -> Option<Arc<Event>> {
        let descriptor = EventDescriptor::new().inspect_err(|error| {
            tracing::info!(%error, "no descriptor for an ASYNC job; its thread blocks");
        });
        let descriptor = descriptor.ok()?;
        let number = descriptor.number();
        let event = Arc::new(Event::new(descriptor));
        let data = Arc::into_raw(Arc::clone(&event)).cast_mut().cast();
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

/// libcrypto calls this when it frees a wait context.
///
/// # Safety
/// `event` is from [`Arc::into_raw`], and the context does not use its reference again.
unsafe extern "C" fn cleanup(
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
