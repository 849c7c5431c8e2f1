//! The tokio runtime of this process.

use crate::{
    Error, ErrorKind, Result,
    per_process::{Current, PerProcess},
};
use nix::sys::signal::{SigSet, SigmaskHow};
use std::{
    future::Future,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
    time::Duration,
};

static RUNTIME: PerProcess<tokio::runtime::Runtime> = PerProcess::new();

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
    let runtime = runtime()?;
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

/// Runs a future on this process's runtime without waiting for it.
///
/// # Errors
/// The runtime cannot be started.
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Result<()> {
    runtime()?.spawn(future);
    Ok(())
}

fn runtime() -> Result<Current<tokio::runtime::Runtime>> {
    RUNTIME.get_or_try_init(start).map_err(|error| {
        Error::new(ErrorKind::Internal, format!("cannot start a thread for requests: {error}"))
    })
}

/// Why there is no thread, and what to do. HAProxy is a host that sets the limit to 0.
const NO_THREADS: &str = "the system gives no more; the limit on processes counts threads too \
     (RLIMIT_NPROC, in HAProxy `insecure-fork-wanted`)";

/// One worker suffices: it only moves requests and answers. Its threads take no signals, which
/// belong to the host's own threads.
fn start() -> io::Result<tokio::runtime::Runtime> {
    let mask = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK);
    // Where the system has no thread left to give, the builder panics.
    let runtime = catch_unwind(AssertUnwindSafe(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(16)
            .thread_name("akv")
            .enable_all()
            .build()
    }));
    if let Ok(mask) = mask {
        let _ = mask.thread_set_mask();
    }
    runtime.unwrap_or_else(|_| Err(io::Error::other(NO_THREADS)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
