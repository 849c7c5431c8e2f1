//! A fork during a process's first use. This is a separate program: the first use is over once any
//! other test has run.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use nix::{
    sys::wait::{WaitStatus, waitpid},
    unistd::{ForkResult, fork},
};

/// Number of child processes: with a lock, every run with this many had a child that hung.
const ROUNDS: usize = 400;

#[test]
fn a_child_that_is_forked_during_the_first_use_waits_for_nobody() {
    for _ in 0..ROUNDS {
        // SAFETY: the child calls nothing that takes a lock of the test runner's other threads.
        match unsafe { fork() }.unwrap() {
            ForkResult::Child => exit(first_use()),
            ForkResult::Parent { child } => {
                assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Exited(child, 0));
            }
        }
    }
}

/// Forks while threads make the first call; returns true if the child succeeds.
fn first_use() -> bool {
    static GO: AtomicBool = AtomicBool::new(false);
    let threads: Vec<_> = (0..3)
        .map(|_| {
            thread::spawn(|| {
                while !GO.load(Ordering::Acquire) {
                    std::hint::spin_loop();
                }
                process_abi::current()
            })
        })
        .collect();
    GO.store(true, Ordering::Release);
    // SAFETY: the child only calls the function under test and exits.
    let grandchild = match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            // SAFETY: no preconditions. The kernel ends a child that hangs.
            unsafe { libc::alarm(20) };
            let current = process_abi::current();
            exit(current == process_abi::current());
        }
        ForkResult::Parent { child } => child,
    };
    let same = threads.into_iter().all(|thread| thread.join().unwrap() == process_abi::current());
    waitpid(grandchild, None) == Ok(WaitStatus::Exited(grandchild, 0)) && same
}

fn exit(well: bool) -> ! {
    // SAFETY: ends the process at once, without the test runner's exit handlers.
    unsafe { libc::_exit(i32::from(!well)) }
}
