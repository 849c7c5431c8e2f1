//! The event that resumes a paused job.
//!
//! `akv-model` compiles this file too, against primitives that a model checker schedules.

use std::cell::Cell;
use std::ptr;
use std::sync::Arc;
use std::task::Wake;

use process_abi::ProcessId;

use super::primitives::{Mutex, MutexGuard, PoisonError, thread_local};

/// The descriptor of an event.
pub(crate) trait Descriptor {
    /// Makes it readable.
    fn signal(&self);

    /// Makes it unreadable again.
    fn reset(&self);
}

/// The host's callback.
pub(crate) trait Callback: Copy {
    /// Calls it. The wait context is alive.
    fn call(&self);
}

/// Cancels the operation of a job.
pub(crate) type Canceller = Box<dyn FnOnce() + Send>;

/// Shared by a wait context and the operations that were started in its jobs. They know nothing of
/// a job or a connection, which may be freed at any time.
pub(crate) struct Event<D, C> {
    process: ProcessId,
    /// The only descriptor of the event; `None` once the wait context is gone. Its end is the
    /// descriptor's: a duplicate would keep it in the host's epoll.
    descriptor: Mutex<Option<D>>,
    callback: Mutex<Option<C>>,
    /// Held while the callback is called. It dereferences the host's connection, so the wait context
    /// is not freed before it has returned.
    calling: Mutex<()>,
    /// Cancels the operation that a paused job waits for.
    canceller: Mutex<Option<Canceller>>,
}

thread_local! {
    /// The event whose callback this thread is inside.
    static CALLING: Cell<Option<usize>> = const { Cell::new(None) };
}

impl<D: Descriptor, C: Callback> Event<D, C> {
    pub(crate) fn new(descriptor: D) -> Self {
        Self {
            process: process_abi::current(),
            descriptor: Mutex::new(Some(descriptor)),
            callback: Mutex::new(None),
            calling: Mutex::new(()),
            canceller: Mutex::new(None),
        }
    }

    pub(crate) fn is_of_this_process(&self) -> bool {
        process_abi::current() == self.process
    }

    /// The descriptor is not readable any more. In a child of `fork` it still is: the event is also
    /// the parent's.
    pub(crate) fn reset(&self) {
        if self.is_of_this_process()
            && let Some(descriptor) = &*locked(&self.descriptor)
        {
            descriptor.reset();
        }
    }

    pub(crate) fn set_callback(&self, callback: Option<C>) {
        *locked(&self.callback) = callback;
    }

    /// Sets what cancels the operation that the job waits for; `None` when it does not wait any more.
    pub(crate) fn set_canceller(&self, canceller: Option<Canceller>) {
        *locked(&self.canceller) = canceller;
    }

    /// The wait context is gone: closes its descriptor, waits until its callback has returned, and
    /// cancels the operation of a job that was abandoned while it waited.
    pub(crate) fn close(&self) {
        if !self.is_of_this_process() {
            // The lock may have been held by a thread of the parent.
            drop(self.descriptor.try_lock().ok().and_then(|mut held| held.take()));
            return;
        }
        drop(locked(&self.descriptor).take());
        *locked(&self.callback) = None;
        // A callback that frees its own context must not wait for itself.
        if CALLING.with(Cell::get) != Some(self.address()) {
            drop(locked(&self.calling));
        }
        let canceller = locked(&self.canceller).take();
        if let Some(cancel) = canceller {
            cancel();
        }
    }

    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }
}

impl<D, C> Wake for Event<D, C>
where
    D: Descriptor + Send + 'static,
    C: Callback + Send + 'static,
{
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_of_this_process() {
            return;
        }
        if let Some(descriptor) = &*locked(&self.descriptor) {
            descriptor.signal();
        }
        let _calling = locked(&self.calling);
        // Not held during the call: the next operation of the job may set it.
        let callback = *locked(&self.callback);
        if let Some(host) = callback {
            let before = CALLING.with(|calling| calling.replace(Some(self.address())));
            host.call();
            CALLING.with(|calling| calling.set(before));
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
