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

/// The descriptor of its event.
pub(crate) struct Descriptor(Arc<Connection>);

/// Its callback, with what the host does in it. As in C, it is copied.
#[derive(Clone, Copy)]
pub(crate) struct Callback {
    connection: &'static Connection,
    then: Option<&'static (dyn Fn() + Sync)>,
}

pub(crate) type Event = event::Event<Descriptor, Callback>;

impl Connection {
    pub(crate) fn event(self: &Arc<Self>) -> Arc<Event> {
        self.open.fetch_add(1, SeqCst);
        Arc::new(Event::new(Descriptor(Arc::clone(self))))
    }

    pub(crate) fn callback(self: &Arc<Self>) -> Callback {
        // A raw pointer in C, which may dangle: here it never does, and the end is counted.
        let connection = Box::leak(Box::new(Arc::clone(self)));
        Callback { connection, then: None }
    }

    pub(crate) fn callback_then(self: &Arc<Self>, then: impl Fn() + Sync + 'static) -> Callback {
        Callback { then: Some(Box::leak(Box::new(then))), ..self.callback() }
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
        assert_eq!(self.0.freed.load(SeqCst), 0, "the descriptor is closed with its context");
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
        if let Some(then) = self.then {
            then();
        }
        self.connection.calls_after_the_end.fetch_add(self.connection.freed.load(SeqCst), SeqCst);
    }
}
