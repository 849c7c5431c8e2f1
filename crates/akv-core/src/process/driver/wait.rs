//! How a calling thread waits.

use std::task::Waker;

/// A way to wait for an operation that does not block the calling thread, such as pausing an
/// OpenSSL ASYNC job; see [`Client::with_wait`](crate::blocking::Client::with_wait).
///
/// ```
/// use akv_core::{Settings, blocking::{Client, InFlight, Wait}};
/// use std::{sync::Arc, task::Waker};
///
/// /// Switches to another of the host's fibers until the operation has ended.
/// struct Yield;
///
/// impl Wait for Yield {
///     fn wait(&self, operation: &mut dyn InFlight) {
///         # fn in_a_fiber() -> bool { false }
///         # fn waker_of_this_fiber() -> Waker { Waker::noop().clone() }
///         # fn switch() {}
///         while in_a_fiber() && !operation.has_ended(&waker_of_this_fiber()) {
///             switch();
///         }
///     }
/// }
/// let client = Client::with_wait(Settings::builder().build()?, Arc::new(Yield));
/// # let _ = client;
/// # Ok::<(), akv_core::Error>(())
/// ```
pub trait Wait: Send + Sync {
    /// Whether the caller is somewhere where [`wait`](Self::wait) does not simply return. If not, it
    /// may carry out the operation itself.
    fn is_of_use(&self) -> bool {
        true
    }

    /// Waits on the calling thread until the operation has ended. A wait that returns before that
    /// leaves the rest to the facade, which blocks.
    fn wait(&self, operation: &mut dyn InFlight);
}

/// Blocks the calling thread.
#[derive(Clone, Copy, Debug)]
pub struct Block;

impl Wait for Block {
    fn is_of_use(&self) -> bool {
        false
    }

    fn wait(&self, _: &mut dyn InFlight) {}
}

/// The operation that a [`Wait`] waits for.
pub trait InFlight {
    /// Whether it has ended, which is the case at the latest when its deadline has passed. If not,
    /// it keeps the waker, and wakes it once, on any thread, when this should be called again. The
    /// last waker replaces those before it.
    fn has_ended(&mut self, waker: &Waker) -> bool;

    /// A function that cancels the operation and drops its result, from any thread. A caller that
    /// never returns, because its stack is abandoned, needs it.
    fn canceller(&self) -> Box<dyn FnOnce() + Send>;
}
