//! The event that resumes a paused job.
//!
//! `akv-model` compiles this file too, against primitives that a model checker schedules.

use std::cell::Cell;
use std::ptr;
use std::sync::Arc;
use std::task::Wake;

use process_abi::ProcessId;

use super::primitives::{Mutex, MutexGuard, PoisonError, thread_local};

/// A descriptor of an event.
pub(crate) trait Descriptor {
    /// Makes all descriptors of the event readable.
    fn signal(&self);

    /// Makes them unreadable again.
    fn reset(&self);
}

/// The host's callback.
pub(crate) trait Callback {
    /// Calls it. The wait context is alive.
    fn call(&self);
}

/// Shared by a wait context and the operations that were started in its jobs. They know nothing of
/// a job or a connection, which may be freed at any time.
pub(crate) struct Event<D, C> {
    process: ProcessId,
    /// The wait context's descriptor; `None` once the context is gone.
    of_context: Mutex<Option<D>>,
    /// The operations' own descriptor of the same event.
    ours: D,
    /// The callback dereferences the host's connection, so it must not be called once the wait
    /// context is gone. The lock is held during the call.
    callback: Mutex<Option<C>>,
}

thread_local! {
    /// The event whose callback this thread is inside.
    static CALLING: Cell<Option<usize>> = const { Cell::new(None) };
}

impl<D: Descriptor, C: Callback> Event<D, C> {
    /// An event with a descriptor for the wait context, and another one for us.
    pub(crate) fn new(of_context: D, ours: D) -> Self {
        let process = process_abi::current();
        let (of_context, callback) = (Mutex::new(Some(of_context)), Mutex::new(None));
        Self { process, of_context, ours, callback }
    }

    pub(crate) fn is_of_this_process(&self) -> bool {
        process_abi::current() == self.process
    }

    /// The descriptor is not readable any more.
    pub(crate) fn reset(&self) {
        self.ours.reset();
    }

    pub(crate) fn set_callback(&self, callback: Option<C>) {
        *locked(&self.callback) = callback;
    }

    /// The wait context is gone: closes its descriptor, and waits until its callback has returned.
    pub(crate) fn close(&self) {
        // In a child of `fork`, the locks may have been held by a thread of the parent.
        let descriptor = self.of_context.try_lock().ok().and_then(|mut held| held.take());
        drop(descriptor);
        if !self.is_of_this_process() {
            return;
        }
        // A callback that frees its own context must not wait for itself.
        let mut callback = match self.callback.try_lock() {
            Ok(callback) => callback,
            Err(_) if CALLING.with(Cell::get) == Some(self.address()) => return,
            Err(_) => locked(&self.callback),
        };
        *callback = None;
    }

    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }
}

impl<D, C> Wake for Event<D, C>
where
    D: Descriptor + Send + Sync + 'static,
    C: Callback + Send + 'static,
{
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_of_this_process() {
            return;
        }
        self.ours.signal();
        let callback = locked(&self.callback);
        let Some(host) = &*callback else { return };
        let before = CALLING.with(|calling| calling.replace(Some(self.address())));
        host.call();
        CALLING.with(|calling| calling.set(before));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
