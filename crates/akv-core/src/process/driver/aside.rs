//! Threads of our own, for what the system offers only as a call that blocks.

use nix::sys::signal::{SigSet, SigmaskHow};
use std::{io, mem, thread};
use tokio::sync::oneshot;

/// Starts a thread that takes no signals: they belong to the host's own threads.
///
/// # Errors
/// The system gives no thread.
pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let mask = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    if let Ok(mask) = mask {
        let _ = mask.thread_set_mask();
    }
    thread.map(drop)
}

/// Runs a call that blocks on a thread of its own. tokio's `spawn_blocking` panics where the
/// system gives no thread.
///
/// # Errors
/// The system gives no thread, or the call panicked.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (sender, receiver) = oneshot::channel();
    let process = process_abi::current();
    spawn("akv", move || {
        let result = work();
        if process_abi::current() == process {
            let _ = sender.send(result);
        } else {
            // To tell the runtime would write to a descriptor that is not its own any more.
            mem::forget(sender);
        }
    })?;
    receiver.await.map_err(|_| io::Error::other("the call panicked"))
}
