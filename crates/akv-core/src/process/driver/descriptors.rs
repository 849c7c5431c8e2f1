//! The descriptors of a runtime, which its host may close at any time.

use crate::{Error, ErrorKind, Result};
use process_abi::{
    ProcessId,
    descriptor::{EventLoop, Identity, StandardStreams},
};
use std::{
    future::poll_fn,
    io::{self, PipeWriter},
    os::fd::{AsRawFd as _, RawFd},
    pin::pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};
use tokio::{
    net::unix::pipe::Receiver,
    runtime::{Builder, Runtime},
    sync::Notify,
};

/// tokio's epoll has two numbers, one to wait and one to register.
const EPOLLS: usize = 2;

/// Has a future open no descriptor that the host would take for a standard stream.
pub(crate) async fn above_standard_streams<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    poll_fn(|context| {
        let _streams = StandardStreams::hold();
        future.as_mut().poll(context)
    })
    .await
}

/// What a runtime has open, and whether it still has.
pub(super) struct Descriptors {
    process: ProcessId,
    marker: Arc<Marker>,
    /// Registers the marker with the runtime. The pipe stays silent.
    _registered: Receiver,
    _writer: PipeWriter,
}

/// A pipe of the runtime's. A host that closes whatever it does not know closes it too, and no
/// other file is ever mistaken for it.
struct Marker {
    number: RawFd,
    identity: Identity,
    /// Empty where the loop was not found: then only the marker is looked at.
    event_loop: OnceLock<EventLoop>,
    lost: AtomicBool,
    noticed: Notify,
}

impl Descriptors {
    /// Builds a runtime and finds its descriptors. None of them is a standard stream.
    ///
    /// # Errors
    /// The system gives no descriptors.
    pub(super) fn of_new(builder: &mut Builder) -> io::Result<(Runtime, Arc<Self>)> {
        let _streams = StandardStreams::hold();
        let (reader, writer) = io::pipe()?;
        let number = reader.as_raw_fd();
        let identity = Identity::of(number).ok_or(io::ErrorKind::NotFound)?;
        let marker = Arc::new(Marker {
            number,
            identity,
            event_loop: OnceLock::new(),
            lost: AtomicBool::new(false),
            noticed: Notify::new(),
        });
        let (sleeping, waking) = (Arc::clone(&marker), Arc::clone(&marker));
        let runtime = builder
            .on_thread_park(move || sleeping.before_sleep())
            .on_thread_unpark(move || waking.after_sleep())
            .build()?;
        let registered = {
            let _context = runtime.enter();
            Receiver::from_owned_fd(reader.into())?
        };
        match EventLoop::find(number, EPOLLS) {
            Some(event_loop) => drop(marker.event_loop.set(event_loop)),
            None => tracing::debug!("the runtime's descriptors were not found"),
        }
        let process = process_abi::current();
        let descriptors = Self { process, marker, _registered: registered, _writer: writer };
        Ok((runtime, Arc::new(descriptors)))
    }

    /// Has everything that belongs to this process begin anew when the marker is gone.
    pub(super) fn watch(&self) {
        process_abi::watch(self.marker.number, self.marker.identity);
    }

    /// Whether the runtime may be used.
    pub(super) fn are_intact(&self) -> bool {
        let intact = match self.marker.event_loop.get() {
            Some(event_loop) => event_loop.is_intact(),
            None => self.marker.is_there(),
        };
        intact && !self.marker.lost.load(Ordering::Relaxed)
    }

    /// Has this process begin anew, as a child of a fork does.
    pub(super) fn abandon(&self) {
        tracing::info!("the host has closed descriptors of ours; runtime and connections are new");
        self.marker.lost.store(true, Ordering::Release);
        process_abi::renounce(self.process);
    }

    /// # Errors
    /// The runtime cannot be used any more.
    pub(super) fn check(&self) -> Result<()> {
        if self.marker.is_there() && !self.marker.lost.load(Ordering::Acquire) {
            return Ok(());
        }
        let text = "the program closed our descriptors while the operation was under way";
        Err(Error::new(ErrorKind::Network, text).hint("try again"))
    }

    /// Ready when a thread that drives the runtime is to leave it.
    pub(super) async fn until_lost(&self) {
        let noticed = self.marker.noticed.notified();
        if !self.marker.lost.load(Ordering::Acquire) {
            noticed.await;
        }
    }
}

impl Marker {
    fn is_there(&self) -> bool {
        Identity::of(self.number) == Some(self.identity)
    }

    /// Called by a thread that drives, before it waits for events. tokio panics when it cannot, and
    /// then closes its epoll's number, whatever that is by now. So the thread of ours stays here.
    fn before_sleep(&self) {
        let can_wait = self.event_loop.get().is_none_or(EventLoop::can_wait);
        if (!can_wait || self.lost.load(Ordering::Acquire)) && super::is_attended() {
            self.lost.store(true, Ordering::Release);
            loop {
                thread::park();
            }
        }
    }

    /// Called by a thread that drives, when it wakes up: it is to leave the runtime before it runs a
    /// task. To tell it so from another thread would write to the eventfd.
    fn after_sleep(&self) {
        if self.lost.load(Ordering::Acquire) || !self.is_there() {
            self.lost.store(true, Ordering::Release);
            self.noticed.notify_waiters();
        }
    }
}
