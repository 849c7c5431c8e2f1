//! OpenSSL's ASYNC jobs (ASYNC_start_job(3)): a function that is called inside one pauses the job
//! instead of blocking the thread.
//!
//! While it waits, the job's wait context has a descriptor that becomes readable when the job
//! should be resumed, and the host's callback is called, if it has set one. Both belong to an
//! [`Event`] that the wait context and the operation share; the operation knows nothing of the job,
//! which the host may free at any time.
//!
//! libcrypto's functions are looked up in exactly the libcrypto that loads the module. Where they
//! are missing, as in a program that links libcrypto statically and exports nothing, callers block.

mod event;
mod functions;
mod primitives;
#[cfg(test)]
mod tests;
mod wait_context;

use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

use c_abi::{deep, is_on_own_stack, outside};

pub use self::functions::Jobs;
#[cfg(test)]
pub(crate) use self::functions::PROTOTYPES;
use self::wait_context::Event;

/// A pause that is shorter than this was none: the host has disabled pauses (`ASYNC_block_pause`),
/// or resumes the job in a loop. One system call, such as that of an event loop, takes as long. A
/// host may resume a job early for other reasons, such as data from the client.
const NO_PAUSE: Duration = Duration::from_micros(1);

/// After this many of them in a row, the caller blocks.
const MAX_SHORT: u32 = 64;

/// The operation that a job waits for.
pub trait InFlight {
    /// Whether it has ended. If not, it keeps the waker, and wakes it when this should be called
    /// again.
    fn has_ended(&mut self, waker: &Waker) -> bool;

    /// A function that cancels the operation, from any thread.
    fn canceller(&self) -> Box<dyn FnOnce() + Send>;
}

/// How a wait has ended.
struct Waited {
    /// Otherwise the caller has to block.
    has_ended: bool,
    /// Whether the job was paused, and so the host has seen the descriptor.
    was_paused: bool,
}

impl Jobs {
    /// Whether the caller is inside a job.
    pub fn is_inside(&self) -> bool {
        // SAFETY: libcrypto's function, without preconditions.
        unsafe { !(self.get_current_job)().is_null() }
    }

    /// Pauses the current job, if there is one, until the operation has ended. Returns early if the
    /// caller has to block instead.
    ///
    /// The caller runs on the job's stack, not on one of [our own](crate::guard::deep): a host may
    /// abandon a paused job, and with it the stack.
    pub fn wait(&self, operation: &mut dyn InFlight) {
        if is_on_own_stack() {
            return;
        }
        // SAFETY: libcrypto's function, without preconditions.
        let job = unsafe { (self.get_current_job)() };
        if job.is_null() || deep(|| operation.has_ended(Waker::noop())) {
            return;
        }
        let begin = || {
            let context = self.context_of(job)?;
            let (event, is_new) = self.event_of(context)?;
            event.set_canceller(Some(operation.canceller()));
            // Weak, because an abandoned job never drops what is on its stack.
            Some((context, Arc::downgrade(&event), is_new))
        };
        let Some((context, event, is_new)) = deep(begin) else { return };
        let waited = self.wait_for(&event, operation);
        deep(|| {
            if !waited.has_ended {
                tracing::debug!("an ASYNC job cannot be paused; its thread blocks");
            }
            if let Some(event) = event.upgrade() {
                event.set_canceller(None);
                event.reset();
            }
            // HAProxy crashes if a wait context has a descriptor that no pause has shown to it.
            if is_new && !waited.was_paused {
                self.forget(context);
            }
        });
    }

    fn wait_for(&self, event: &Weak<Event>, operation: &mut dyn InFlight) -> Waited {
        let (mut short, mut was_paused) = (0, false);
        loop {
            let poll = |event: Arc<Event>| {
                // Before the look: a signal of the last round would end the next pause at once.
                event.reset();
                operation.has_ended(&Waker::from(event))
            };
            match deep(|| event.upgrade().map(poll)) {
                Some(false) => {}
                Some(true) => return Waited { has_ended: true, was_paused },
                // The host has freed the wait context of a job that it resumes.
                None => return Waited { has_ended: false, was_paused: true },
            }
            let start = Instant::now();
            // SAFETY: this thread is inside a job, on the job's stack.
            if outside(|| unsafe { (self.pause_job)() }) != 1 {
                return Waited { has_ended: false, was_paused };
            }
            if start.elapsed() < NO_PAUSE {
                short += 1;
            } else {
                (short, was_paused) = (0, true);
            }
            if short == MAX_SHORT {
                return Waited { has_ended: false, was_paused };
            }
        }
    }
}
