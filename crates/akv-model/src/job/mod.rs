//! Paused ASYNC jobs: the event of a wait context, and the operation that signals it.

#[path = "../../../ossl-abi/src/job/event.rs"]
pub(crate) mod event;

/// The model of `ossl_abi::job::primitives`.
pub(crate) mod primitives {
    pub(super) use shuttle::{
        sync::{Mutex, MutexGuard},
        thread_local,
    };
    pub(super) use std::sync::PoisonError;
}

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use shuttle::sync::{Condvar, Mutex};

use crate::process::step;

/// A wait context and its connection, as the host sees them. Counts are no steps of their own.
#[derive(Default)]
pub(crate) struct Connection {
    /// The event's count (eventfd(2)).
    readable: Mutex<usize>,
    changed: Condvar,
    /// Descriptors that are open.
    open: AtomicUsize,
    freed: AtomicUsize,
    pub(crate) calls: AtomicUsize,
    pub(crate) calls_after_the_end: AtomicUsize,
}

/// One of its two descriptors.
pub(crate) struct Descriptor(Arc<Connection>);

/// Its callback.
pub(crate) struct Callback {
    connection: Arc<Connection>,
    /// What the host does in it.
    then: Option<Box<dyn Fn() + Send>>,
}

pub(crate) type Event = event::Event<Descriptor, Callback>;

impl Connection {
    pub(crate) fn event(self: &Arc<Self>) -> Arc<Event> {
        let descriptor = || {
            self.open.fetch_add(1, SeqCst);
            Descriptor(Arc::clone(self))
        };
        Arc::new(Event::new(descriptor(), descriptor()))
    }

    pub(crate) fn callback(self: &Arc<Self>) -> Callback {
        Callback { connection: Arc::clone(self), then: None }
    }

    pub(crate) fn callback_then(self: &Arc<Self>, then: impl Fn() + Send + 'static) -> Callback {
        Callback { connection: Arc::clone(self), then: Some(Box::new(then)) }
    }

    /// Waits until the descriptor is readable, as an event loop does.
    pub(crate) fn poll(&self) {
        let mut readable = self.readable.lock().expect("no panic");
        while *readable == 0 {
            readable = self.changed.wait(readable).expect("no panic");
        }
    }

    pub(crate) fn is_readable(&self) -> bool {
        *self.readable.lock().expect("no panic") > 0
    }

    /// The host frees the connection, after its wait context.
    pub(crate) fn free(&self) {
        self.freed.store(1, SeqCst);
    }

    pub(crate) fn descriptors(&self) -> usize {
        self.open.load(SeqCst)
    }
}

impl event::Descriptor for Descriptor {
    fn signal(&self) {
        step();
        *self.0.readable.lock().expect("no panic") += 1;
        self.0.changed.notify_all();
    }

    fn reset(&self) {
        *self.0.readable.lock().expect("no panic") = 0;
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, SeqCst);
    }
}

impl event::Callback for Callback {
    fn call(&self) {
        step();
        self.connection.calls.fetch_add(1, SeqCst);
        self.connection.calls_after_the_end.fetch_add(self.connection.freed.load(SeqCst), SeqCst);
        if let Some(then) = &self.then {
            then();
        }
        self.connection.calls_after_the_end.fetch_add(self.connection.freed.load(SeqCst), SeqCst);
    }
}
