//! The tokio runtime of this process, and the two ways to drive it.
//!
//! It is a current-thread runtime, which starts no thread by itself. Any thread may drive it. If
//! several do, one runs the tasks and the others take over from it.
//!
//! Hosts close descriptors that they did not open, and tokio would continue to use their numbers.
//! So each operation checks whether they are still the runtime's. If not, the process is treated as
//! a new one, as after a fork: runtime and connections are abandoned, not dropped.

use std::{
    cell::Cell,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use futures::future::select;
use process_abi::ProcessId;
use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::AbortHandle,
};

use super::{Done, Driver, Task, aside, descriptors::Descriptors, stack::Stacks};
use crate::{
    Error, ErrorKind, Result,
    process::{Current, PerProcess},
};

/// How often a waiting thread checks the descriptors.
const LOOK: Duration = Duration::from_millis(500);

/// How long after a refusal another thread is requested.
const RETRY: Duration = Duration::from_secs(10);

static PROCESS: PerProcess<Process> = PerProcess::new();

/// The runtime of a process.
struct Process {
    descriptors: Arc<Descriptors>,
    driver_thread: DriverThread,
    by_thread: Arc<ByThread>,
    by_caller: Arc<ByCaller>,
}

/// The driver for the next operation.
///
/// # Errors
/// The runtime cannot be started.
pub(super) fn driver() -> Result<Arc<dyn Driver>> {
    let process = process()?;
    Ok(if process.runs_in_background() {
        Arc::clone(&process.by_thread) as Arc<dyn Driver>
    } else {
        Arc::clone(&process.by_caller) as Arc<dyn Driver>
    })
}

/// Starts a detached task.
///
/// # Errors
/// There is no thread to run it.
pub(crate) fn spawn(task: Task) -> Result<()> {
    let process = process()?;
    if !process.runs_in_background() {
        let text = "the system gives no thread for work in the background";
        return Err(Error::new(ErrorKind::Internal, text));
    }
    process.by_thread.start(task);
    Ok(())
}

/// Whether tasks run while no caller waits for an operation. To be called by tasks. On another
/// async runtime they always run.
pub(crate) fn runs_in_background() -> bool {
    !DRIVING.get()
}

thread_local! {
    /// Set while a calling thread drives the runtime.
    static DRIVING: Cell<bool> = const { Cell::new(false) };
}

/// The driver of a process that cannot start a thread.
#[cfg(test)]
pub(crate) fn caller_driven() -> Arc<dyn Driver> {
    Process::new().expect("a runtime").by_caller
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
        let (process, runtime) = (process_abi::current(), Arc::new(runtime));
        let handle = runtime.handle().clone();
        Ok(Self {
            driver_thread: DriverThread::default(),
            by_thread: Arc::new(ByThread {
                process,
                handle,
                descriptors: Arc::clone(&descriptors),
            }),
            by_caller: Arc::new(ByCaller {
                process,
                runtime,
                stacks,
                descriptors: Arc::clone(&descriptors),
            }),
            descriptors,
        })
    }

    fn runs_in_background(&self) -> bool {
        self.driver_thread.is_running() || self.driver_thread.start(&self.by_caller)
    }
}

/// The thread that drives the runtime.
#[derive(Default)]
struct DriverThread {
    there: Arc<AtomicBool>,
    refused: Mutex<Option<Instant>>,
}

impl DriverThread {
    fn is_running(&self) -> bool {
        self.there.load(Ordering::Acquire)
    }

    /// Starts the thread, unless that was refused recently or another caller is starting it.
    #[cold]
    fn start(&self, by_caller: &ByCaller) -> bool {
        let Ok(mut refused) = self.refused.try_lock() else { return self.is_running() };
        if self.is_running() {
            return true;
        }
        if refused.is_some_and(|refused| refused.elapsed() < RETRY) {
            return false;
        }
        let (runtime, there) = (Arc::clone(&by_caller.runtime), Arc::clone(&self.there));
        let descriptors = Arc::clone(&by_caller.descriptors);
        let attend = move || {
            let until_lost = || runtime.block_on(descriptors.until_lost());
            let _ = catch_unwind(AssertUnwindSafe(until_lost));
            there.store(false, Ordering::Release);
        };
        self.there.store(true, Ordering::Release);
        let started = by_caller.stacks.run(|| aside::spawn("akv", attend));
        if let Err(error) = started.and_then(|started| started) {
            self.there.store(false, Ordering::Release);
            *refused = Some(Instant::now());
            tracing::info!(%error, "no thread can be started; callers carry out their operations, also in ASYNC jobs");
            return false;
        }
        true
    }
}

/// A thread drives the runtime; callers sleep.
struct ByThread {
    process: ProcessId,
    handle: Handle,
    descriptors: Arc<Descriptors>,
}

impl Driver for ByThread {
    fn start(&self, task: Task) -> AbortHandle {
        self.handle.spawn(task).abort_handle()
    }

    fn is_attended(&self) -> bool {
        true
    }

    fn is_of_this_process(&self) -> bool {
        process_abi::current() == self.process
    }

    fn wait(&self, mut done: Done<'_>, until: Instant) -> Result<()> {
        let waker = Unpark::waker();
        let mut context = Context::from_waker(&waker);
        let mut woken = false;
        while done.as_mut().poll(&mut context) == Poll::Pending {
            if woken {
                self.descriptors.check()?;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            thread::park_timeout(left.min(LOOK));
            woken = true;
        }
        Ok(())
    }
}

/// Wakes a thread.
struct Unpark(Thread);

impl Unpark {
    /// The waker of this thread. One is kept for each thread.
    fn waker() -> Waker {
        thread_local! {
            static WAKER: Waker = Unpark::new_waker();
        }
        // During thread exit the thread-local is gone.
        WAKER.try_with(Waker::clone).unwrap_or_else(|_| Self::new_waker())
    }

    fn new_waker() -> Waker {
        Waker::from(Arc::new(Self(thread::current())))
    }
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// Callers drive the runtime while they wait, on our own stacks.
struct ByCaller {
    process: ProcessId,
    runtime: Arc<Runtime>,
    stacks: Stacks,
    descriptors: Arc<Descriptors>,
}

impl Driver for ByCaller {
    fn start(&self, task: Task) -> AbortHandle {
        let task = self.runtime.spawn(async {
            // The connections have not been polled since the last operation. This polls them, so
            // that a connection that the server has closed meanwhile is not used.
            tokio::task::yield_now().await;
            task.await;
        });
        task.abort_handle()
    }

    fn is_attended(&self) -> bool {
        false
    }

    fn is_of_this_process(&self) -> bool {
        process_abi::current() == self.process
    }

    fn wait(&self, done: Done<'_>, until: Instant) -> Result<()> {
        if Handle::try_current().is_ok() {
            let text = "an async runtime runs on this thread, and the system gives no other thread";
            let hint = "use the async interface, or allow the process another thread";
            return Err(Error::new(ErrorKind::Internal, text).hint(hint));
        }
        let drive = || {
            let _driving = Driving::begin();
            catch_unwind(AssertUnwindSafe(|| {
                self.runtime.block_on(async {
                    let lost = pin!(self.descriptors.until_lost());
                    let mut done = select(done, lost);
                    while Instant::now() < until {
                        let look = until.min(Instant::now() + LOOK);
                        if tokio::time::timeout_at(look.into(), &mut done).await.is_ok() {
                            break;
                        }
                    }
                });
            }))
        };
        let failed = |text: String| Error::new(ErrorKind::Internal, text);
        let driven = self.stacks.run(drive);
        driven
            .map_err(|error| failed(format!("no memory for a stack: {error}")))?
            .map_err(|_| failed("the runtime panicked; this is a bug".to_owned()))?;
        self.descriptors.check()
    }
}

/// Marks the thread as driving.
struct Driving(bool);

impl Driving {
    fn begin() -> Self {
        Self(DRIVING.replace(true))
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        DRIVING.set(self.0);
    }
}

#[cfg(test)]
mod tests {
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
            let pending = Pending::<()>::start(driver, Box::pin(async { panic!("on purpose") }));
            assert_eq!(wait(pending).unwrap_err().kind(), ErrorKind::Internal);
        }
    }

    #[test]
    fn what_takes_too_long_is_not_waited_for() {
        for driver in [driver().unwrap(), caller_driven()] {
            let pending = Pending::<()>::start(driver, Box::pin(std::future::pending()));
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
                            wait(Pending::start(Arc::clone(&driver), operation)).unwrap();
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
        let first =
            Pending::start(Arc::clone(&driver), Box::pin(async { Ok(receiver.await.unwrap()) }));
        let second = Pending::start(
            driver,
            Box::pin(async {
                let _: () = sender.send(7).unwrap();
                Ok(())
            }),
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
            drop(Pending::start(Arc::clone(&driver), Box::pin(operation)));
            let closed = Pending::start(driver, Box::pin(async { Ok(receiver.await.is_err()) }));
            assert!(wait(closed).unwrap());
        }
    }

    #[test]
    fn inside_somebody_elses_runtime_an_unattended_one_is_refused() {
        let driver = caller_driven();
        let pending = Pending::start(Arc::clone(&driver), Box::pin(async { Ok(()) }));
        let outer = Builder::new_current_thread().build().unwrap();
        let error = outer.block_on(async { wait(pending) }).unwrap_err();
        assert!(error.to_string().contains("async runtime"), "{error}");
    }
}
