//! What belongs to one process id, and the tokio runtime that does.
//!
//! Servers load keys in one process and use them in others. A child of `fork` has only the thread
//! that forked, so a runtime, a connection pool or a lock of its parent is of no use to it.
//! [`PerProcess`] gives every process its own, made by the first use, without a lock that a fork
//! could leave behind. What a child inherits it never touches and never drops.

use crate::{Error, ErrorKind, Result};
use arc_swap::ArcSwapOption;
use nix::sys::signal::{SigSet, SigmaskHow};
use std::{
    future::Future,
    ops::Deref,
    sync::{Arc, OnceLock, mpsc},
    time::Duration,
};

/// A value of which every process id has its own.
pub(crate) struct PerProcess<T>(ArcSwapOption<Slot<T>>);

struct Slot<T> {
    process: u32,
    /// Other threads of the same process wait here while one makes the value. A child never
    /// does: its process id has another slot.
    value: OnceLock<T>,
}

/// A value that is borrowed from its process's slot.
pub(crate) struct Current<T>(Arc<Slot<T>>);

impl<T> Deref for Current<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.value.get().expect("a slot is handed out after its value is made")
    }
}

impl<T> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self(ArcSwapOption::const_empty())
    }

    /// The value of this process, made now if this is its first use.
    pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> Current<T> {
        let slot = self.slot();
        slot.value.get_or_init(make);
        Current(slot)
    }

    fn slot(&self) -> Arc<Slot<T>> {
        let process = std::process::id();
        loop {
            let current = self.0.load_full();
            if let Some(slot) = current.as_ref().filter(|slot| slot.process == process) {
                return Arc::clone(slot);
            }
            let fresh = Arc::new(Slot { process, value: OnceLock::new() });
            // The parent's slot is leaked: dropping it would stop threads that are not here.
            std::mem::forget(current.clone());
            let before = self.0.compare_and_swap(&current, Some(Arc::clone(&fresh)));
            let won = match (before.as_ref(), current.as_ref()) {
                (None, None) => true,
                (Some(before), Some(current)) => Arc::ptr_eq(before, current),
                _ => false,
            };
            if won {
                return fresh;
            }
        }
    }
}

static RUNTIME: PerProcess<std::io::Result<tokio::runtime::Runtime>> = PerProcess::new();

/// Runs a future on this process's runtime and waits for its result.
///
/// The future runs on a thread of the runtime, not on the caller's: the caller may have a tiny
/// stack (an OpenSSL ASYNC job has 32 KiB) or be inside a runtime of its own.
///
/// # Errors
/// The runtime cannot be started, the future panicked, or it gave nothing within `limit`.
pub(crate) fn block_on<T: Send + 'static>(
    limit: Duration,
    future: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let runtime = RUNTIME.get_or_init(start);
    let runtime = runtime.as_ref().map_err(|error| {
        Error::new(ErrorKind::Internal, format!("cannot start the runtime's threads: {error}"))
    })?;
    let (sender, receiver) = mpsc::sync_channel(1);
    runtime.spawn(async move {
        let _ = sender.send(future.await);
    });
    match receiver.recv_timeout(limit) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(Error::new(
            ErrorKind::Timeout,
            format!("no result within {limit:?}: the runtime's thread is held up"),
        )),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err(Error::new(ErrorKind::Internal, "the operation panicked; this is a bug"))
        }
    }
}

/// One worker suffices: it only moves requests and answers. Its threads take no signals, which
/// belong to the host's own threads.
fn start() -> std::io::Result<tokio::runtime::Runtime> {
    let mask = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(16)
        .thread_name("akv")
        .enable_all()
        .build();
    if let Ok(mask) = mask {
        let _ = mask.thread_set_mask();
    }
    runtime
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_value_is_made_once_by_many_threads() {
        static VALUE: PerProcess<usize> = PerProcess::new();
        static MADE: AtomicUsize = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let value = VALUE.get_or_init(|| MADE.fetch_add(1, Ordering::SeqCst));
                    assert_eq!(*value, 0);
                });
            }
        });
        assert_eq!(MADE.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn the_runtime_runs_where_a_runtime_already_runs() {
        let outer = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let sum = outer
            .block_on(async { block_on(Duration::from_secs(10), async { Ok(20 + 22) }).unwrap() });
        assert_eq!(sum, 42);
    }

    #[test]
    fn a_panic_becomes_an_error() {
        let error = block_on::<()>(Duration::from_secs(10), async { panic!("on purpose") });
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Internal);
    }

    #[test]
    fn the_runtimes_threads_take_no_signals() {
        let blocked = block_on(Duration::from_secs(10), async {
            Ok(SigSet::thread_get_mask().unwrap().contains(nix::sys::signal::Signal::SIGCHLD))
        });
        assert!(blocked.unwrap());
        assert!(!SigSet::thread_get_mask().unwrap().contains(nix::sys::signal::Signal::SIGCHLD));
    }
}
