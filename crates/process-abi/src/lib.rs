//! What a library must ask libc about the process that it lives in, behind safe functions.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Whether the kernel marked this process as secure-execution (`AT_SECURE`, getauxval(3)): a
/// set-user-ID program, one with file capabilities and the like, whose environment comes from
/// somebody with less privilege.
pub fn is_secure_execution() -> bool {
    // SAFETY: the function has no preconditions.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// A process, told apart from its parents and children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessId {
    pid: u32,
    /// Process ids are used again, and a new PID namespace begins at 1 again.
    forks: u32,
}

impl ProcessId {
    /// The identity of no process that there can be, for tests.
    pub const fn of_nobody() -> Self {
        Self { pid: 0, forks: 0 }
    }
}

/// How many `fork`s lie between the process that first asked and this one.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// The process that asks. A child of `fork` gets another answer than its parent, also one of a
/// bare `clone`, which only changes the process id.
pub fn current() -> ProcessId {
    static COUNTING: AtomicBool = AtomicBool::new(false);
    extern "C" fn in_child() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    // No `Once`: a child that is forked while another thread is inside would wait for it for ever.
    // Threads that come here at the same time make each fork count more than once, which does no
    // harm.
    if !COUNTING.load(Ordering::Relaxed) {
        // SAFETY: the handler only adds to an atomic, which any child may do. When libc has no
        // memory left for it, the process id alone must do.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        COUNTING.store(true, Ordering::Relaxed);
    }
    ProcessId { pid: std::process::id(), forks: FORKS.load(Ordering::Relaxed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::{
        sys::wait::{WaitStatus, waitpid},
        unistd::{ForkResult, fork},
    };

    #[test]
    fn a_test_runner_is_an_ordinary_program() {
        assert!(!is_secure_execution());
    }

    #[test]
    fn a_child_is_another_process_even_under_the_same_number() {
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
