//! Safe wrappers for what a library needs from libc about its process.

pub mod descriptor;
pub mod event;
pub mod stack;

use std::{
    os::fd::RawFd,
    sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering},
};

use descriptor::Identity;

/// Whether the kernel marked this process as secure-execution (`AT_SECURE`, getauxval(3)): a
/// set-user-ID program, one with file capabilities and the like, whose environment comes from a
/// less privileged user.
pub fn is_secure_execution() -> bool {
    // SAFETY: the function has no preconditions.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Identifies a process, and distinguishes it from its parents and children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessId {
    pid: u32,
    /// Process ids are reused, and a new PID namespace starts again at 1.
    forks: u32,
}

impl ProcessId {
    /// An identity that no process has, for tests.
    pub const fn of_nobody() -> Self {
        Self { pid: 0, forks: 0 }
    }
}

/// Number of `fork`s between the first process that called [`current`] and this one.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// The calling process. A child of `fork` gets a different result from its parent. So does a child
/// of a bare `clone`, in which only the process id changes, and a process whose [marker](watch) the
/// host has closed.
pub fn current() -> ProcessId {
    static COUNTING: AtomicBool = AtomicBool::new(false);
    extern "C" fn in_child() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    // No `Once`: a child forked while another thread is inside it would wait for ever. Threads that
    // arrive here at the same time make each fork count more than once, which is harmless.
    if !COUNTING.load(Ordering::Relaxed) {
        // SAFETY: the handler only adds to an atomic, which any child may do. If registration fails
        // for lack of memory, the process id alone distinguishes processes.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        COUNTING.store(true, Ordering::Relaxed);
    }
    WATCHED.look();
    ProcessId { pid: std::process::id(), forks: FORKS.load(Ordering::Relaxed) }
}

/// Treats the process as a new one once `marker` is no longer open under its number: the host has
/// closed unknown descriptors, probably including others of ours. Only one marker is watched at a
/// time.
pub fn watch(marker: RawFd, identity: Identity) {
    WATCHED.begin(marker, identity);
}

/// The watched marker. No lock is used: a fork could leave it held.
struct Watched {
    number: AtomicI32,
    device: AtomicU64,
    inode: AtomicU64,
}

static WATCHED: Watched =
    Watched { number: AtomicI32::new(-1), device: AtomicU64::new(0), inode: AtomicU64::new(0) };

impl Watched {
    fn begin(&self, marker: RawFd, identity: Identity) {
        self.number.store(-1, Ordering::SeqCst);
        self.device.store(identity.device, Ordering::SeqCst);
        self.inode.store(identity.inode, Ordering::SeqCst);
        self.number.store(marker, Ordering::SeqCst);
    }

    fn look(&self) {
        let number = self.number.load(Ordering::SeqCst);
        if number < 0 {
            return;
        }
        let same = Identity::of(number).is_some_and(|now| {
            now.device == self.device.load(Ordering::SeqCst)
                && now.inode == self.inode.load(Ordering::SeqCst)
        });
        // Only one of the threads that detect it increments the count.
        let swap =
            || self.number.compare_exchange(number, -1, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        if !same && swap() {
            FORKS.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Makes this process count as a new one, different from `process`, as after a fork. The state of
/// `process` is abandoned: neither used nor dropped. Does nothing if the process already differs.
pub fn abandon(process: ProcessId) {
    let ProcessId { forks, .. } = process;
    let _ = FORKS.compare_exchange(forks, forks + 1, Ordering::Relaxed, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use nix::{
        sys::wait::{WaitStatus, waitpid},
        unistd::{ForkResult, fork},
    };

    use super::*;

    /// For tests that compare the process's identity, which another test changes.
    fn alone() -> MutexGuard<'static, ()> {
        static ALONE: Mutex<()> = Mutex::new(());
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[test]
    fn a_test_runner_is_an_ordinary_program() {
        assert!(!is_secure_execution());
    }

    #[test]
    fn a_process_that_is_abandoned_is_another_one_once() {
        let _alone = alone();
        let before = current();
        abandon(before);
        let after = current();
        assert_ne!(before, after);
        abandon(before);
        assert_eq!(current(), after);
    }

    #[test]
    fn a_child_is_another_process_even_under_the_same_number() {
        let _alone = alone();
        let parent = current();
        // SAFETY: the child only compares numbers and exits.
        match unsafe { fork() }.unwrap() {
            ForkResult::Child => {
                let child = current();
                let differs = child != parent && child.forks > parent.forks;
                // SAFETY: ends the child at once, without the test runner's exit handlers.
                unsafe { libc::_exit(i32::from(!differs)) }
            }
            ForkResult::Parent { child } => {
                assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Exited(child, 0));
                assert_eq!(current(), parent);
            }
        }
    }
}
