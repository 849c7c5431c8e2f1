//! OpenSSL's ASYNC jobs (ASYNC_start_job(3)): a function that is called inside one pauses the job
//! instead of blocking the thread.
//!
//! While it waits, the job's wait context has a descriptor that becomes readable when the job
//! should be resumed, and the host's callback is called, if it has set one. Both belong to an
//! [`Event`] that the wait context and the operation share; the operation knows
//! nothing of the job, which the host may free at any time.
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

impl Jobs {
    /// Pauses the current job, if there is one, until `is_ready` returns `true`. Returns early if
    /// the caller has to block instead.
    ///
    /// The caller runs on the job's stack, not on one of [our own](crate::guard::deep): a host may
    /// abandon a paused job, and with it the stack.
    pub fn wait(&self, is_ready: &mut dyn FnMut(&Waker) -> bool) {
        if is_on_own_stack() {
            return;
        }
        // SAFETY: libcrypto's function, without preconditions.
        let job = unsafe { (self.get_current_job)() };
        if job.is_null() {
            return;
        }
        // The event is needed only from here on: a host does not expect to find a descriptor.
        if deep(|| is_ready(Waker::noop())) {
            return;
        }
        // Weak, because an abandoned job never drops what is on its stack.
        let event =
            deep(|| self.event_of(job).map(|(event, is_new)| (Arc::downgrade(&event), is_new)));
        let Some((event, is_new)) = event else {
            return;
        };
        if !self.wait_for(&event, is_new, is_ready) {
            tracing::debug!("an ASYNC job cannot be paused; its thread blocks");
        }
        if let Some(event) = event.upgrade() {
            event.reset();
        }
    }

    /// Whether the operation has ended. Pauses at least once if the event is new: HAProxy crashes if
    /// a wait context has a descriptor that no pause has shown to it.
    fn wait_for(
        &self,
        event: &Weak<Event>,
        is_new: bool,
        is_ready: &mut dyn FnMut(&Waker) -> bool,
    ) -> bool {
        let (mut short, mut is_hidden) = (0, is_new);
        loop {
            let poll = |event: Arc<Event>| {
                let waker = Waker::from(event);
                let has_ended = is_ready(&waker);
                if has_ended && is_hidden {
                    waker.wake();
                }
                has_ended
            };
            match deep(|| event.upgrade().map(poll)) {
                Some(true) if !is_hidden => return true,
                Some(_) => {}
                // The host has freed the wait context of a job that it resumes.
                None => return false,
            }
            let start = Instant::now();
            // SAFETY: this thread is inside a job, on the job's stack.
            if outside(|| unsafe { (self.pause_job)() }) != 1 {
                return false;
            }
            is_hidden = false;
            short = if start.elapsed() < NO_PAUSE { short + 1 } else { 0 };
            if short == MAX_SHORT {
                return false;
            }
        }
    }
}
