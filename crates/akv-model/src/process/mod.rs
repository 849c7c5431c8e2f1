//! Processes: the process of a task, and the end of all other tasks at a fork.

#[path = "../../../akv-core/src/process/driver/helm.rs"]
pub(crate) mod helm;
#[path = "../../../akv-core/src/process/driver/outcome.rs"]
pub(crate) mod outcome;
#[path = "../../../akv-core/src/process/per_process.rs"]
pub(crate) mod per_process;

use std::{
    cell::RefCell,
    collections::HashMap,
    time::{Duration, SystemTime},
};

use shuttle::{
    current::{TaskId, me},
    sync::atomic::{AtomicBool, Ordering},
};

/// The model of `akv_core::process::primitives`.
pub(crate) mod primitives {
    pub(crate) use super::now;
    pub(crate) use shuttle::sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64},
    };
    pub(crate) use std::sync::PoisonError;
}

/// A process of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessId(u32);

impl ProcessId {
    /// No process of the model.
    pub const fn of_nobody() -> Self {
        Self(0)
    }

    pub(crate) const fn child(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The first process.
pub(crate) const FIRST: ProcessId = ProcessId(1);

#[derive(Default)]
struct Processes {
    of: HashMap<TaskId, ProcessId>,
    frozen: Vec<ProcessId>,
    over: bool,
    caller_driven: bool,
    later: Duration,
}

thread_local! {
    /// shuttle runs all tasks of a scenario on one real thread.
    static PROCESSES: RefCell<Processes> = RefCell::default();
}

/// Must be called first in each run of a scenario.
pub(crate) fn reset() {
    PROCESSES.with_borrow_mut(|processes| *processes = Processes::default());
}

fn process_of(task: TaskId) -> ProcessId {
    PROCESSES.with_borrow(|processes| processes.of.get(&task).copied().unwrap_or(FIRST))
}

/// The process of the calling task, without a step, for use by scenarios. `None` after [`end`].
pub(crate) fn of_this_task() -> Option<ProcessId> {
    let over = PROCESSES.with_borrow(|processes| processes.over);
    (!over).then(|| process_of(me()))
}

/// The process of the calling task.
pub fn current() -> ProcessId {
    step();
    process_of(me())
}

/// Whether tasks run while no caller waits for an operation.
pub(crate) fn runs_in_background() -> bool {
    PROCESSES.with_borrow(|processes| !processes.caller_driven)
}

/// The current time for callers that request a token.
pub(crate) fn now() -> SystemTime {
    SystemTime::now() + PROCESSES.with_borrow(|processes| processes.later)
}

/// Makes callers renew tokens, as if no thread can be started, and makes all tokens due for
/// renewal.
pub(crate) fn run_without_thread(later: Duration) {
    PROCESSES
        .with_borrow_mut(|processes| (processes.caller_driven, processes.later) = (true, later));
}

/// Moves the calling task into this process.
pub(crate) fn join(process: ProcessId) {
    PROCESSES.with_borrow_mut(|processes| processes.of.insert(me(), process));
}

/// Must be called last in each run of a scenario: drops what left-over tasks still hold, without a
/// step of theirs.
pub(crate) fn end() {
    PROCESSES.with_borrow_mut(|processes| processes.over = true);
}

/// Continues as the child. The tasks of the parent take no further step: their work stays half
/// done, as in the memory of a child.
pub(crate) fn fork() {
    let parent = process_of(me());
    PROCESSES.with_borrow_mut(|processes| processes.frozen.push(parent));
    join(parent.child());
}

/// A step of the task, before which all other tasks may run.
pub(crate) fn step() {
    if PROCESSES.with_borrow(|processes| processes.over) {
        return;
    }
    // Only a point for shuttle to switch tasks.
    AtomicBool::new(false).store(true, Ordering::SeqCst);
    let frozen = |process| PROCESSES.with_borrow(|processes| processes.frozen.contains(&process));
    while frozen(process_of(me())) {
        shuttle::thread::park();
    }
}
