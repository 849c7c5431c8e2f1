//! Processes: which one a task belongs to, and the end of all others at a fork.

#[path = "../../../akv-core/src/process/per_process.rs"]
pub(crate) mod per_process;

use shuttle::{
    current::{TaskId, me},
    sync::atomic::{AtomicBool, Ordering},
};
use std::{
    cell::RefCell,
    collections::HashMap,
    time::{Duration, SystemTime},
};

/// What stands for `akv_core::process::primitives`.
pub(crate) mod primitives {
    pub(crate) use super::now;
    pub(crate) use shuttle::sync::{
        Mutex,
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
    unattended: bool,
    later: Duration,
}

thread_local! {
    /// shuttle runs all tasks of a scenario on one real thread.
    static PROCESSES: RefCell<Processes> = RefCell::default();
}

/// To be called first in each run of a scenario.
pub(crate) fn reset() {
    PROCESSES.with_borrow_mut(|processes| *processes = Processes::default());
}

fn process_of(task: TaskId) -> ProcessId {
    PROCESSES.with_borrow(|processes| processes.of.get(&task).copied().unwrap_or(FIRST))
}

/// The process of the task that asks, without a step: for what a scenario wants to know. After
/// [`end`] there is none.
pub(crate) fn of_this_task() -> Option<ProcessId> {
    let over = PROCESSES.with_borrow(|processes| processes.over);
    (!over).then(|| process_of(me()))
}

/// The process of the task that asks.
pub fn current() -> ProcessId {
    step();
    process_of(me())
}

/// Whether tasks go on while nobody waits for an operation.
pub(crate) fn is_attended() -> bool {
    PROCESSES.with_borrow(|processes| !processes.unattended)
}

/// What time it is for those who ask for a token.
pub(crate) fn now() -> SystemTime {
    SystemTime::now() + PROCESSES.with_borrow(|processes| processes.later)
}

/// Has tokens renewed by those who ask for them, as where no thread can be started, and the time of
/// renewal come for all.
pub(crate) fn leave_unattended(later: Duration) {
    PROCESSES.with_borrow_mut(|processes| (processes.unattended, processes.later) = (true, later));
}

/// Makes the task that asks a task of this process.
pub(crate) fn join(process: ProcessId) {
    PROCESSES.with_borrow_mut(|processes| processes.of.insert(me(), process));
}

/// To be called last in each run of a scenario: what tasks that were left behind still hold is
/// cleared away without a step of theirs.
pub(crate) fn end() {
    PROCESSES.with_borrow_mut(|processes| processes.over = true);
}

/// Goes on as the child. The tasks of the parent do not take another step: whatever they were
/// about stays half done, as in the memory of a child.
pub(crate) fn fork() {
    let parent = process_of(me());
    PROCESSES.with_borrow_mut(|processes| processes.frozen.push(parent));
    join(parent.child());
}

/// A step of the task, before which all others may take theirs.
pub(crate) fn step() {
    if PROCESSES.with_borrow(|processes| processes.over) {
        return;
    }
    // A place for shuttle to switch, no more.
    AtomicBool::new(false).store(true, Ordering::SeqCst);
    let frozen = |process| PROCESSES.with_borrow(|processes| processes.frozen.contains(&process));
    while frozen(process_of(me())) {
        shuttle::thread::park();
    }
}
