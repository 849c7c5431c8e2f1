//! How a calling thread waits.

use std::task::Waker;

/// A way to wait for an operation that does not block the calling thread, such as pausing an
/// OpenSSL ASYNC job; see [`Client::with_wait`](crate::blocking::Client::with_wait).
///
/// ```
/// use akv_core::{Settings, blocking::{Client, Wait}};
/// use std::{sync::Arc, task::Waker};
///
/// /// Switches to another of the host's fibers until the operation has ended.
/// struct Yield;
///
/// impl Wait for Yield {
///     fn wait(&self, is_ready: &mut dyn FnMut(&Waker) -> bool) {
///         # fn in_a_fiber() -> bool { false }
///         # fn waker_of_this_fiber() -> Waker { Waker::noop().clone() }
///         # fn switch() {}
///         while in_a_fiber() && !is_ready(&waker_of_this_fiber()) {
///             switch();
///         }
///     }
/// }
/// let client = Client::with_wait(Settings::builder().build()?, Arc::new(Yield));
/// # let _ = client;
/// # Ok::<(), akv_core::Error>(())
/// ```
pub trait Wait: Send + Sync {
    /// Waits on the calling thread until `is_ready` returns `true`, which it does at the latest
    /// when the operation's deadline has passed. Otherwise `is_ready` keeps the waker, and wakes it
    /// once, on any thread, when it should be called again. A wait that returns before that leaves
    /// the rest to the facade, which blocks.
    fn wait(&self, is_ready: &mut dyn FnMut(&Waker) -> bool);
}
