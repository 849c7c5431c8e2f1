//! Scenarios of [`Helm`](crate::process::helm::Helm): callers and the thread take turns at a runtime.
//!
//! Time stands still, so that nothing is mended by the thread's taking over after a while: whoever
//! is not woken sleeps for ever, and the model checker reports it.

use std::time::Duration;

use shuttle::{
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread::{self, Thread},
};

use crate::process::helm::{Caller, Helm, Wake};

const NOW: Duration = Duration::from_secs(1);

/// How many operations in a row make a caller lead.
const SERIES: usize = 9;

/// A runtime, as `attended.rs` uses it.
struct Runtime {
    helm: Helm,
    state: Mutex<State>,
    changed: Condvar,
    thread: Mutex<Option<Thread>>,
}

#[derive(Default)]
struct State {
    /// Somebody drives.
    driven: bool,
    /// Tasks that wait for a driver.
    ready: usize,
    ended: usize,
    /// Requests to the thread and to the leader.
    aside: bool,
    leave: bool,
    over: bool,
    led: usize,
}

impl Runtime {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }

    fn wait_while(&self, condition: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        self.changed.wait_while(self.state(), |state| condition(state)).expect("no panic")
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    /// Enters the runtime.
    fn enter(&self) {
        let mut state = self.state();
        assert!(!state.driven, "two drivers");
        state.driven = true;
    }

    fn wake(&self, wake: Wake) {
        match wake {
            Wake::Nobody => {}
            Wake::Thread => {
                let thread = self.thread.lock().expect("no panic").clone();
                if let Some(thread) = thread {
                    thread.unpark();
                }
            }
            Wake::Caller => self.change(|state| state.leave = true),
        }
    }

    /// The thread.
    fn attend(&self) {
        *self.thread.lock().expect("no panic") = Some(thread::current());
        loop {
            if self.helm.attend(NOW) {
                self.enter();
                loop {
                    let mut state =
                        self.wait_while(|state| state.ready == 0 && !state.aside && !state.over);
                    if state.ready == 0 {
                        (state.aside, state.driven) = (false, false);
                        break;
                    }
                    state.ready -= 1;
                    drop(state);
                    let aside = self.helm.end(NOW);
                    self.change(|state| {
                        state.ended += 1;
                        state.aside |= aside;
                    });
                }
                self.helm.step_aside();
            } else if self.state().over {
                return;
            } else {
                thread::park();
            }
        }
    }

    fn start(&self, caller: Caller) {
        self.wake(self.helm.begin(caller));
        self.change(|state| state.ready += 1);
    }

    /// A caller that waits for an operation, which does not end before `tasks` have.
    fn run(&self, tasks: usize) {
        if self.helm.lead(NOW) {
            self.enter();
            let mut state = self.wait_while(|state| state.ended < tasks && !state.leave);
            state.driven = false;
            state.led += 1;
            let has_ended = state.ended >= tasks;
            state.leave = false;
            drop(state);
            self.wake(self.helm.leave(NOW));
            if has_ended {
                return;
            }
        }
        self.start(Caller::Waits);
        drop(self.wait_while(|state| state.ready > 0 || state.ended < tasks));
    }

    fn end(&self) {
        self.change(|state| state.over = true);
        self.wake(Wake::Thread);
    }
}

/// A runtime that the next caller leads, with its thread.
fn ready() -> (Arc<Runtime>, thread::JoinHandle<()>) {
    let (state, changed, thread) = <(Mutex<State>, Condvar, Mutex<Option<Thread>>)>::default();
    let runtime = Arc::new(Runtime { helm: Helm::new(), state, changed, thread });
    assert!(runtime.helm.attend(NOW));
    for _ in 0..SERIES {
        assert!(!runtime.helm.lead(NOW));
        runtime.wake(runtime.helm.begin(Caller::Waits));
        let _ = runtime.helm.end(NOW);
    }
    runtime.helm.step_aside();
    let thread = thread::spawn({
        let runtime = Arc::clone(&runtime);
        move || runtime.attend()
    });
    (runtime, thread)
}

type Steps = Box<dyn FnOnce(&Runtime) + Send>;

/// Runs these concurrently.
fn at_once(callers: Vec<Steps>) -> Arc<Runtime> {
    let (runtime, thread) = ready();
    let start = |caller: Steps| {
        let runtime = Arc::clone(&runtime);
        thread::spawn(move || caller(&runtime))
    };
    let callers: Vec<_> = callers.into_iter().map(start).collect();
    callers.into_iter().for_each(|caller| caller.join().expect("no panic"));
    runtime.end();
    thread.join().expect("no panic");
    runtime
}

/// A caller alone leads each time.
pub fn a_lone_caller_leads() {
    let caller: Steps = Box::new(|runtime| {
        for _ in 0..3 {
            runtime.run(0);
        }
    });
    assert_eq!(at_once(vec![caller]).state().led, 3);
}

/// A leader whose operation hangs holds up nobody.
pub fn a_task_does_not_wait_for_the_leader() {
    for caller in [Caller::Waits, Caller::GoesOn] {
        at_once(vec![
            Box::new(|runtime| runtime.run(1)),
            Box::new(move |runtime| runtime.start(caller)),
        ]);
    }
}

/// Callers and tasks in every order.
pub fn callers_and_tasks_take_turns() {
    at_once(vec![
        Box::new(|runtime| (0..2).for_each(|_| runtime.run(0))),
        Box::new(|runtime| (0..2).for_each(|_| runtime.run(0))),
        Box::new(|runtime| runtime.start(Caller::GoesOn)),
    ]);
}
