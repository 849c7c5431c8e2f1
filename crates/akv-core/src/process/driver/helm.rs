//! Who drives the runtime: a thread of ours, or a caller.
//!
//! Handing an operation to the thread, and its result back, costs two switches between threads, as
//! much processor time as the operation itself. So a caller that calls again and again, and is the
//! only one, drives the runtime itself while it waits: it leads. For everything else the thread
//! attends. It also takes over soon after the last caller has left, since connections and tokens
//! need the runtime between operations.
//!
//! This file only decides; `attended.rs` does what it says. `akv-model` compiles it too, against
//! primitives that a model checker schedules.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use crate::process::primitives::AtomicU64;

/// The thread leaves the runtime to a caller after this many operations that had it to themselves.
const ALONE: u64 = 8;

/// The most time between two operations of such a series, and until the thread takes over.
pub(crate) const SOON: Duration = Duration::from_millis(50);

const NOBODY: u64 = 0;
const THREAD: u64 = 1;
const CALLER: u64 = 2;

/// Times are durations since any start.
pub(crate) struct Helm {
    /// Who drives. Whoever sets it back to `NOBODY` has left the runtime before.
    at: AtomicU64,
    /// How many tasks the runtime has that must not wait for their driver.
    tasks: AtomicU64,
    /// How many operations so far were followed by the next one, and had the runtime to themselves.
    alone: AtomicU64,
    /// When the last operation ended, in nanoseconds.
    last: AtomicU64,
}

/// What the caller of an operation does until it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// It waits, and does nothing else.
    Waits,
    GoesOn,
}

/// Who has to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Wake {
    Nobody,
    /// The thread: it should [attend](Helm::attend).
    Thread,
    /// The caller that leads: it must leave.
    Caller,
}

impl Helm {
    pub(crate) fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self { at: zero(), tasks: zero(), alone: zero(), last: zero() }
    }

    /// A caller is about to wait for one operation. If it leads, it drives the runtime until
    /// [`leave`](Self::leave). Otherwise the operation becomes a task.
    pub(crate) fn lead(&self, now: Duration) -> bool {
        if self.tasks.load(SeqCst) > 0 || self.at.load(SeqCst) == CALLER || !self.is_soon(now) {
            self.alone.store(0, SeqCst);
            return false;
        }
        if self.alone.fetch_add(1, SeqCst) < ALONE || !self.pass(NOBODY, CALLER) {
            return false;
        }
        // A task that came before this will not ask the leader to leave.
        if self.tasks.load(SeqCst) == 0 {
            return true;
        }
        self.at.store(NOBODY, SeqCst);
        false
    }

    /// The leader has left the runtime.
    pub(crate) fn leave(&self, now: Duration) -> Wake {
        self.ended(now);
        self.at.store(NOBODY, SeqCst);
        if self.tasks.load(SeqCst) > 0 { Wake::Thread } else { Wake::Nobody }
    }

    /// A task is about to be handed to the runtime.
    pub(crate) fn begin(&self, caller: Caller) -> Wake {
        let others = self.tasks.fetch_add(1, SeqCst);
        let at = self.at.load(SeqCst);
        if caller == Caller::GoesOn || others > 0 || at == CALLER {
            self.alone.store(0, SeqCst);
        }
        match at {
            THREAD => Wake::Nobody,
            CALLER => Wake::Caller,
            _ => Wake::Thread,
        }
    }

    /// A task has ended. Returns whether the thread should step aside.
    #[must_use]
    pub(crate) fn end(&self, now: Duration) -> bool {
        self.ended(now);
        self.tasks.fetch_sub(1, SeqCst) == 1
            && self.alone.load(SeqCst) >= ALONE
            && self.at.load(SeqCst) == THREAD
    }

    /// Whether the thread has to drive the runtime from now on, until it [steps
    /// aside](Self::step_aside). If not, it asks again when it is woken, or soon.
    #[must_use]
    pub(crate) fn attend(&self, now: Duration) -> bool {
        (self.tasks.load(SeqCst) > 0 || !self.is_soon(now)) && self.pass(NOBODY, THREAD)
    }

    /// The thread has left the runtime. It asks at once whether it has to come back.
    pub(crate) fn step_aside(&self) {
        self.at.store(NOBODY, SeqCst);
    }

    fn pass(&self, from: u64, to: u64) -> bool {
        self.at.compare_exchange(from, to, SeqCst, SeqCst).is_ok()
    }

    fn ended(&self, now: Duration) {
        self.last.store(nanoseconds(now), SeqCst);
    }

    /// Whether the last operation ended a moment ago.
    fn is_soon(&self, now: Duration) -> bool {
        nanoseconds(now).saturating_sub(self.last.load(SeqCst)) < nanoseconds(SOON)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Long after the process's start.
    const NOW: Duration = Duration::from_secs(10);

    /// A helm that the next operation of a caller leads.
    fn ready() -> Helm {
        let helm = Helm::new();
        assert!(helm.attend(NOW));
        for operation in 0..=ALONE {
            assert!(!helm.lead(NOW), "the thread attends");
            let _ = helm.begin(Caller::Waits);
            assert_eq!(helm.end(NOW), operation == ALONE, "{operation}");
        }
        helm.step_aside();
        helm
    }

    #[test]
    fn a_lone_caller_leads_after_a_series() {
        let helm = ready();
        assert!(!helm.attend(NOW));
        for _ in 0..3 {
            assert!(helm.lead(NOW));
            assert_eq!(helm.leave(NOW), Wake::Nobody);
        }
    }

    #[test]
    fn the_thread_takes_over_when_the_series_ends() {
        let helm = ready();
        let later = NOW + SOON;
        assert!(helm.attend(later));
        assert!(!helm.lead(later));
        helm.step_aside();
        assert!(!helm.lead(later), "a new series");
    }

    #[test]
    fn a_task_calls_for_whoever_can_drive_it() {
        let helm = ready();
        assert_eq!(helm.begin(Caller::Waits), Wake::Thread);
        assert!(helm.attend(NOW));
        assert_eq!(helm.begin(Caller::Waits), Wake::Nobody);
        assert!(!helm.end(NOW) && !helm.end(NOW), "two at a time are no series");
    }

    #[test]
    fn a_leader_leaves_the_rest_to_the_thread() {
        let helm = ready();
        assert!(helm.lead(NOW));
        assert_eq!(helm.begin(Caller::Waits), Wake::Caller);
        assert!(!helm.lead(NOW) && !helm.attend(NOW), "there is one leader");
        assert_eq!(helm.leave(NOW), Wake::Thread);
        assert!(helm.attend(NOW));
    }

    #[test]
    fn nobody_leads_next_to_a_task_that_is_left_alone() {
        let helm = ready();
        let _ = helm.begin(Caller::GoesOn);
        assert!(!helm.lead(NOW) && helm.attend(NOW));
        assert!(!helm.end(NOW));
    }
}
