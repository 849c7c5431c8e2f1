//! The descriptors of a runtime, which its host may close at any time.

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
    time::Duration,
};

use process_abi::{
    ProcessId,
    descriptor::{EventLoop, Identity, StandardStreams},
};
use tokio::{
    net::unix::pipe::Receiver,
    runtime::{Builder, Runtime},
    sync::Notify,
};

use super::here::Here;
use crate::{Error, ErrorKind, Result};

/// How often a waiting thread checks them.
pub(super) const LOOK: Duration = Duration::from_millis(500);

/// tokio's epoll has two descriptors, one to wait and one to register.
const EPOLLS: usize = 2;

/// Keeps descriptors that a future opens away from the numbers of the standard streams.
pub(crate) async fn above_standard_streams<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    poll_fn(|context| {
        let _streams = StandardStreams::hold();
        future.as_mut().poll(context)
    })
    .await
}

/// The descriptors of a runtime, with a check that they are still open.
pub(super) struct Descriptors {
    process: ProcessId,
    marker: Arc<Marker>,
    /// Registers the marker with the runtime. The pipe stays silent.
    _registered: Receiver,
    _writer: PipeWriter,
}

/// A pipe of the runtime. A host that closes all unknown descriptors closes it too, and no other
/// file can be mistaken for it.
struct Marker {
    number: RawFd,
    identity: Identity,
    /// Empty if the loop was not found: then only the marker is checked.
    event_loop: OnceLock<EventLoop>,
    lost: AtomicBool,
    noticed: Notify,
}

impl Descriptors {
    /// Builds a runtime and finds its descriptors. None of them is a standard stream.
    ///
    /// # Errors
    /// The system refuses descriptors.
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

    /// Recreates everything that belongs to this process once the marker is gone.
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

    /// Makes this process start over, like a child of a fork.
    pub(super) fn abandon(&self) {
        tracing::info!("the host has closed descriptors of ours; runtime and connections are new");
        self.marker.lost.store(true, Ordering::Release);
        process_abi::abandon(self.process);
    }

    /// # Errors
    /// The runtime is no longer usable.
    pub(super) fn check(&self) -> Result<()> {
        if self.marker.is_there() && !self.marker.lost.load(Ordering::Acquire) {
            return Ok(());
        }
        let text = "the program closed our descriptors while the operation was under way";
        Err(Error::new(ErrorKind::Network, text).hint("try again"))
    }

    /// Ready when a thread that drives the runtime must leave it.
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

    /// Called by a driving thread before it waits for events. When the wait fails, tokio panics,
    /// and then closes its epoll's number, whatever that is by now. So our thread stays here.
    fn before_sleep(&self) {
        let can_wait = self.event_loop.get().is_none_or(EventLoop::can_wait);
        if (!can_wait || self.lost.load(Ordering::Acquire)) && Here::get() == Here::Other {
            self.lost.store(true, Ordering::Release);
            loop {
                thread::park();
            }
        }
    }

    /// Called by a driving thread when it wakes up: it must leave the runtime before it runs a
    /// task. A notification from another thread would write to the eventfd.
    fn after_sleep(&self) {
        if self.lost.load(Ordering::Acquire) || !self.is_there() {
            self.lost.store(true, Ordering::Release);
            self.noticed.notify_waiters();
        }
    }
}
