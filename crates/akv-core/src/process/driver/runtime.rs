//! The tokio runtime of this process.
//!
//! It is a current-thread runtime, which starts no thread by itself. Any thread may drive it. If
//! several do, one runs the tasks and the others take over from it.
//!
//! Hosts close descriptors that they did not open, and tokio would continue to use their numbers.
//! So each operation checks whether they are still the runtime's. If not, the process is treated as
//! a new one, as after a fork: runtime and connections are abandoned, not dropped.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::runtime::Builder;

use super::{
    Driver, Task, aside, attended::Attended, descriptors::Descriptors, helm::Caller, here::Here,
    stack::Stacks, unattended::Unattended,
};
use crate::{
    Error, ErrorKind, Result,
    process::{Current, PerProcess},
};

/// How long after a refusal another thread is requested.
const RETRY: Duration = Duration::from_secs(10);

static PROCESS: PerProcess<Process> = PerProcess::new();

/// The runtime of a process.
struct Process {
    descriptors: Arc<Descriptors>,
    thread: OurThread,
    attended: Arc<Attended>,
    unattended: Arc<Unattended>,
}

/// The driver for the next operation.
///
/// # Errors
/// The runtime cannot be started.
pub(super) fn driver() -> Result<Arc<dyn Driver>> {
    let process = process()?;
    Ok(if process.is_attended() {
        Arc::clone(&process.attended) as Arc<dyn Driver>
    } else {
        Arc::clone(&process.unattended) as Arc<dyn Driver>
    })
}

/// Starts a detached task.
///
/// # Errors
/// There is no thread to run it.
pub(crate) fn spawn(task: Task) -> Result<()> {
    let process = process()?;
    if !process.is_attended() {
        let text = "the system gives no thread for work in the background";
        return Err(Error::new(ErrorKind::Internal, text));
    }
    let counted = Arc::clone(&process.attended).begin(Caller::GoesOn);
    process.attended.start(Box::pin(async move {
        let _counted = counted;
        task.await;
    }));
    Ok(())
}

/// Whether tasks run while no caller waits for an operation. To be called by tasks. On another
/// async runtime they always run.
pub(crate) fn runs_in_background() -> bool {
    Here::get() != Here::Unattended
}

/// The driver of a process that cannot start a thread.
#[cfg(test)]
pub(crate) fn caller_driven() -> Arc<dyn Driver> {
    Process::new().expect("a runtime").unattended
}

/// The driver of a process of its own, with a thread.
#[cfg(test)]
pub(super) fn attended() -> Arc<Attended> {
    let process = Process::new().expect("a runtime");
    assert!(process.is_attended());
    process.attended
}

fn process() -> Result<Current<Process>> {
    let process = || {
        let new = || Process::new().inspect(|process| process.descriptors.watch());
        PROCESS.get_or_try_init(new).map_err(|error| {
            Error::new(ErrorKind::Internal, format!("the runtime cannot be started: {error}"))
        })
    };
    let current = process()?;
    if current.descriptors.are_intact() {
        return Ok(current);
    }
    current.descriptors.abandon();
    process()
}

impl Process {
    fn new() -> io::Result<Self> {
        let stacks = Stacks::default();
        let build = || Descriptors::of_new(Builder::new_current_thread().enable_io().enable_time());
        let (runtime, descriptors) = stacks.run(build)??;
        let runtime = Arc::new(runtime);
        Ok(Self {
            thread: OurThread::default(),
            attended: Arc::new(Attended::new(Arc::clone(&runtime), Arc::clone(&descriptors))),
            unattended: Arc::new(Unattended::new(runtime, stacks, Arc::clone(&descriptors))),
            descriptors,
        })
    }

    fn is_attended(&self) -> bool {
        self.thread.is_running() || self.thread.start(self)
    }
}

/// The thread that attends to the runtime.
#[derive(Default)]
struct OurThread {
    there: Arc<AtomicBool>,
    refused: Mutex<Option<Instant>>,
}

impl OurThread {
    fn is_running(&self) -> bool {
        self.there.load(Ordering::Acquire)
    }

    /// Starts the thread, unless that was refused recently or another caller is starting it.
    #[cold]
    fn start(&self, process: &Process) -> bool {
        let Ok(mut refused) = self.refused.try_lock() else { return self.is_running() };
        if self.is_running() {
            return true;
        }
        if refused.is_some_and(|refused| refused.elapsed() < RETRY) {
            return false;
        }
        let (attended, there) = (Arc::clone(&process.attended), Arc::clone(&self.there));
        let attend = move || {
            attended.attend();
            there.store(false, Ordering::Release);
        };
        self.there.store(true, Ordering::Release);
        let started = process.unattended.stacks().run(|| aside::spawn("akv", attend));
        if let Err(error) = started.and_then(|started| started) {
            self.there.store(false, Ordering::Release);
            *refused = Some(Instant::now());
            tracing::info!(%error, "no thread can be started; callers carry out their operations, also in ASYNC jobs");
            return false;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use nix::sys::signal::{SigSet, Signal};

    use super::*;
    use crate::process::driver::{Pending, start};

    const LIMIT: Duration = Duration::from_secs(10);

    fn wait<T: Send + 'static>(pending: Pending<T>) -> Result<T> {
        Ok(pending.wait(Instant::now() + LIMIT)?.expect("a result in time"))
    }

    #[test]
    fn the_runtime_runs_where_a_runtime_already_runs() {
        let outer = Builder::new_current_thread().build().unwrap();
        let sum = outer
            .block_on(async { wait(start(Box::pin(async { Ok(20 + 22) })).unwrap()).unwrap() });
        assert_eq!(sum, 42);
    }

    #[test]
    fn a_panic_becomes_an_error() {
        for driver in [driver().unwrap(), caller_driven()] {
            let pending = Pending::<()>::start(
                driver,
                Box::pin(async { panic!("on purpose") }),
                Caller::Waits,
            );
            assert_eq!(wait(pending).unwrap_err().kind(), ErrorKind::Internal);
        }
    }

    #[test]
    fn what_takes_too_long_is_not_waited_for() {
        for driver in [driver().unwrap(), caller_driven()] {
            let pending =
                Pending::<()>::start(driver, Box::pin(std::future::pending()), Caller::Waits);
            let until = Instant::now() + Duration::from_millis(20);
            assert!(pending.wait(until).unwrap().is_none());
        }
    }

    #[test]
    fn the_runtimes_threads_take_no_signals() {
        let operation = async { Ok(SigSet::thread_get_mask().unwrap().contains(Signal::SIGCHLD)) };
        assert!(wait(start(Box::pin(operation)).unwrap()).unwrap());
        assert!(!SigSet::thread_get_mask().unwrap().contains(Signal::SIGCHLD));
    }

    #[test]
    fn callers_drive_their_operations_together() {
        let driver = caller_driven();
        let first = std::sync::Barrier::new(8);
        thread::scope(|scope| {
            for caller in 0..8_u64 {
                let (driver, first) = (Arc::clone(&driver), &first);
                scope.spawn(move || {
                    first.wait();
                    for round in 0..50 {
                        let pause = Duration::from_micros((caller * 131 + round * 17) % 700);
                        let operation = Box::pin(async move {
                            tokio::time::sleep(pause).await;
                            Ok((thread::current().id(), runs_in_background()))
                        });
                        let (_, attended) =
                            wait(Pending::start(Arc::clone(&driver), operation, Caller::Waits))
                                .unwrap();
                        assert!(!attended);
                    }
                });
            }
        });
    }

    #[test]
    fn an_operation_may_be_left_and_its_result_come_later() {
        let driver = caller_driven();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let first = Pending::start(
            Arc::clone(&driver),
            Box::pin(async { Ok(receiver.await.unwrap()) }),
            Caller::GoesOn,
        );
        let second = Pending::start(
            driver,
            Box::pin(async {
                let _: () = sender.send(7).unwrap();
                Ok(())
            }),
            Caller::Waits,
        );
        assert_eq!(wait(first).unwrap(), 7);
        wait(second).unwrap();
    }

    #[test]
    fn a_dropped_operation_is_cancelled() {
        for driver in [driver().unwrap(), caller_driven()] {
            let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
            let operation = async move {
                let _sender = sender;
                std::future::pending::<()>().await;
                Ok(())
            };
            drop(Pending::start(Arc::clone(&driver), Box::pin(operation), Caller::GoesOn));
            let closed = Pending::start(
                driver,
                Box::pin(async { Ok(receiver.await.is_err()) }),
                Caller::Waits,
            );
            assert!(wait(closed).unwrap());
        }
    }

    #[test]
    fn inside_somebody_elses_runtime_an_unattended_one_is_refused() {
        let driver = caller_driven();
        let pending =
            Pending::start(Arc::clone(&driver), Box::pin(async { Ok(()) }), Caller::Waits);
        let outer = Builder::new_current_thread().build().unwrap();
        let error = outer.block_on(async { wait(pending) }).unwrap_err();
        assert!(error.to_string().contains("async runtime"), "{error}");
    }
}
