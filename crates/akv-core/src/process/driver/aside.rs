//! Own threads for blocking system calls.

use std::{io, mem, thread};

use nix::sys::signal::{SigSet, SigmaskHow};
use tokio::sync::oneshot;

/// Starts a thread that takes no signals: the host's own threads handle them.
///
/// # Errors
/// The system refuses a thread.
pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let mask = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    if let Ok(mask) = mask {
        let _ = mask.thread_set_mask();
    }
    thread.map(drop)
}

/// Runs a blocking call on its own thread. tokio's `spawn_blocking` panics if the system refuses a
/// thread.
///
/// # Errors
/// The system refuses a thread, or the call panicked.
pub(crate) async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (sender, receiver) = oneshot::channel();
    let process = process_abi::current();
    spawn("akv", move || {
        let result = work();
        if process_abi::current() == process {
            let _ = sender.send(result);
        } else {
            // Dropping the sender would wake the runtime and write to a descriptor that is no
            // longer its own.
            mem::forget(sender);
        }
    })?;
    receiver.await.map_err(|_| io::Error::other("the call panicked"))
}
