//! The driver of a process with a thread of ours, named `akv`. The thread drives the runtime while
//! callers sleep, or a caller does while the thread stands by; see [`Helm`].

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use futures::{FutureExt as _, future::select};
use process_abi::{ProcessId, stack};
use tokio::{
    runtime::{Handle, Runtime},
    sync::Notify,
    task::AbortHandle,
    time::{Sleep, sleep},
};

use super::{
    Counted, Done, Driver, Task,
    descriptors::{Descriptors, LOOK},
    helm::{self, Caller, Helm, Wake},
    here::Here,
    unpark::Unpark,
};
use crate::{Error, ErrorKind, Result};

/// A caller leads on its thread's native stack, if at least this many bytes of it are left: half of
/// what the stacks have on which callers drive a runtime without a thread.
const ROOM: usize = 512 * 1024;

/// A thread of ours, or a caller that is alone, drives the runtime.
pub(super) struct Attended {
    process: ProcessId,
    /// Wakes a leader regularly, who then sees whether the descriptors are still ours. It lives
    /// as long as the runtime: a timer of each operation would write to the eventfd.
    look: Mutex<Option<Pin<Box<Sleep>>>>,
    runtime: Arc<Runtime>,
    descriptors: Arc<Descriptors>,
    created: Instant,
    helm: Helm,
    /// Empty until the thread has started.
    thread: Mutex<Option<Thread>>,
    /// Asks the thread to step aside.
    aside: Notify,
    /// Asks the leader to leave.
    leave: Notify,
}

impl Attended {
    pub(super) fn new(runtime: Arc<Runtime>, descriptors: Arc<Descriptors>) -> Self {
        Self {
            process: process_abi::current(),
            look: Mutex::new(None),
            runtime,
            descriptors,
            created: Instant::now(),
            helm: Helm::new(),
            thread: Mutex::new(None),
            aside: Notify::new(),
            leave: Notify::new(),
        }
    }

    /// What our thread does until the host has closed the runtime's descriptors.
    pub(super) fn attend(&self) {
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current());
        while self.descriptors.are_intact() {
            if !self.helm.attend(self.now()) {
                thread::park_timeout(helm::SOON);
                continue;
            }
            let drive = || {
                self.runtime.block_on(async {
                    let lost = pin!(self.descriptors.until_lost());
                    select(lost, pin!(self.aside.notified())).await;
                });
            };
            let driven = catch_unwind(AssertUnwindSafe(drive));
            self.helm.step_aside();
            if driven.is_err() {
                return;
            }
        }
    }

    /// Drives the runtime until `done` is ready, `until` is reached, or the thread has to take over.
    fn drive(&self, done: Done<'_>, until: Instant) {
        let mut look = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        self.runtime.block_on(async {
            let look = look.get_or_insert_with(|| Box::pin(sleep(LOOK)));
            if look.deadline() > until.into() {
                look.as_mut().reset(until.into());
            }
            // Connections have not been polled since the last operation. This polls them, so that
            // one that the server has closed meanwhile is not used.
            tokio::task::yield_now().await;
            let (lost, leave) = (pin!(self.descriptors.until_lost()), pin!(self.leave.notified()));
            let mut end = select(done, select(lost, leave));
            poll_fn(|context| {
                while look.as_mut().poll(context).is_ready() {
                    let now = Instant::now();
                    if now >= until {
                        return Poll::Ready(());
                    }
                    look.as_mut().reset(until.min(now + LOOK).into());
                }
                end.poll_unpin(context).map(drop)
            })
            .await;
        });
    }

    fn wake(&self, wake: Wake) {
        match wake {
            Wake::Nobody => {}
            Wake::Thread => {
                let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
                thread.as_ref().map(Thread::unpark);
            }
            Wake::Caller => self.leave.notify_one(),
        }
    }

    /// A task has ended.
    pub(super) fn end(&self) {
        if self.helm.end(self.now()) {
            self.aside.notify_one();
        }
    }

    fn now(&self) -> Duration {
        self.created.elapsed()
    }
}

impl Driver for Attended {
    fn begin(self: Arc<Self>, caller: Caller) -> Counted {
        self.wake(self.helm.begin(caller));
        Counted::by(self)
    }

    fn start(&self, task: Task) -> AbortHandle {
        let task = self.runtime.spawn(async {
            // A task may call back into its host, which a thread that the host has called must
            // not do. The leader is asked to leave before this task is handed over.
            while Here::get() == Here::Leads {
                tokio::task::yield_now().await;
            }
            task.await;
        });
        task.abort_handle()
    }

    fn is_attended(&self) -> bool {
        true
    }

    fn is_of_this_process(&self) -> bool {
        process_abi::current() == self.process
    }

    fn lead(&self, done: Done<'_>, until: Instant) -> Result<()> {
        stack::determine();
        let can_lead = stack::left() >= ROOM && Handle::try_current().is_err();
        if !can_lead || !self.helm.lead(self.now()) {
            return Ok(());
        }
        let driven = {
            let _here = Here::Leads.begin();
            catch_unwind(AssertUnwindSafe(|| self.drive(done, until)))
        };
        self.wake(self.helm.leave(self.now()));
        driven
            .map_err(|_| Error::new(ErrorKind::Internal, "the runtime panicked; this is a bug"))?;
        self.descriptors.check()
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

#[cfg(test)]
mod tests {
    use std::thread::ThreadId;

    use tokio::sync::oneshot;

    use super::*;
    use crate::process::driver::{Pending, Run, run_by, runtime::attended};

    const LIMIT: Duration = Duration::from_secs(30);

    /// Runs an operation as a caller that can only wait for it.
    fn run<T: Send + 'static>(
        driver: &Arc<Attended>,
        operation: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let driver = Arc::clone(driver) as Arc<dyn Driver>;
        match run_by(driver, Box::pin(operation), Instant::now() + LIMIT)? {
            Run::Ended(result) => result,
            Run::Started(pending) => ended(pending),
        }
    }

    fn start<T: Send + 'static>(
        driver: &Arc<Attended>,
        operation: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Pending<T> {
        let driver = Arc::clone(driver) as Arc<dyn Driver>;
        Pending::start(driver, Box::pin(operation), Caller::GoesOn)
    }

    fn ended<T: Send + 'static>(pending: Pending<T>) -> Result<T> {
        Ok(pending.wait(Instant::now() + LIMIT)?.expect("a result in time"))
    }

    async fn thread_id() -> Result<ThreadId> {
        // Waits, as for an answer.
        sleep(Duration::from_micros(50)).await;
        Ok(thread::current().id())
    }

    /// Calls again and again until the caller leads. A busy machine may interrupt a series.
    fn until_caller_leads(driver: &Arc<Attended>) {
        let start = Instant::now();
        while run(driver, thread_id()).unwrap() != thread::current().id() {
            assert!(start.elapsed() < LIMIT, "the thread still attends");
        }
    }

    #[test]
    fn a_caller_that_is_alone_carries_out_its_operations() {
        let driver = attended();
        assert_ne!(run(&driver, thread_id()).unwrap(), thread::current().id());
        until_caller_leads(&driver);
    }

    #[test]
    fn an_operation_that_is_started_never_runs_on_a_callers_thread() {
        let driver = attended();
        for _ in 0..20 {
            until_caller_leads(&driver);
            let pending = start(&driver, thread_id());
            assert_ne!(ended(pending).unwrap(), thread::current().id());
        }
    }

    /// A caller carries out an operation that ends only after another one, from another thread.
    /// Returns the threads that they ran on.
    fn hang_until_another_ends(driver: &Arc<Attended>, caller: Caller) -> [ThreadId; 2] {
        let (begun, begins) = oneshot::channel();
        let (end, ends) = oneshot::channel();
        let other = thread::spawn({
            let driver = Arc::clone(driver) as Arc<dyn Driver>;
            move || {
                begins.blocking_recv().unwrap();
                let id = ended(Pending::start(driver, Box::pin(thread_id()), caller)).unwrap();
                end.send(()).unwrap();
                id
            }
        });
        let first = run(driver, async {
            begun.send(()).unwrap();
            let id = thread::current().id();
            ends.await.unwrap();
            Ok(id)
        });
        [first.unwrap(), other.join().unwrap()]
    }

    #[test]
    fn a_leader_hands_its_operation_over_when_another_comes() {
        let (driver, here) = (attended(), thread::current().id());
        for caller in [Caller::Waits, Caller::GoesOn] {
            let other = loop {
                until_caller_leads(&driver);
                let [first, other] = hang_until_another_ends(&driver, caller);
                if first == here {
                    break other;
                }
            };
            assert_ne!(other, here);
        }
    }

    #[test]
    fn many_callers_and_tasks_take_turns() {
        let driver = attended();
        thread::scope(|scope| {
            for caller in 0..4 {
                let driver = &driver;
                scope.spawn(move || {
                    for round in 0..400 {
                        let series = round % 40 < 20;
                        if caller > 0 && series {
                            thread::sleep(Duration::from_micros(200));
                        } else if (round + caller) % 3 == 0 {
                            ended(start(driver, thread_id())).unwrap();
                        } else {
                            run(driver, thread_id()).unwrap();
                        }
                    }
                });
            }
        });
    }

    #[test]
    fn a_panic_of_a_led_operation_becomes_an_error() {
        let driver = attended();
        until_caller_leads(&driver);
        let error = run::<()>(&driver, async { panic!("on purpose") }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
        until_caller_leads(&driver);
    }

    #[test]
    fn a_leader_does_not_wait_longer_than_it_wants() {
        let driver = attended();
        let mut led = false;
        while !led {
            until_caller_leads(&driver);
            let (sender, mut begun) = oneshot::channel();
            let operation = async move {
                let _ = sender.send(thread::current().id());
                std::future::pending::<Result<()>>().await
            };
            let until = Instant::now() + Duration::from_millis(20);
            let by = Arc::clone(&driver) as Arc<dyn Driver>;
            let Run::Started(pending) = run_by(by, Box::pin(operation), until).unwrap() else {
                panic!("it never ends")
            };
            assert!(pending.wait(until).unwrap().is_none());
            led = begun.try_recv() == Ok(thread::current().id());
        }
    }

    #[test]
    fn a_caller_with_a_small_stack_does_not_lead() {
        let driver = attended();
        let series =
            move || (0..100).any(|_| run(&driver, thread_id()).unwrap() == thread::current().id());
        let led = thread::Builder::new().stack_size(ROOM / 2).spawn(series);
        assert!(!led.unwrap().join().unwrap());
    }
}
