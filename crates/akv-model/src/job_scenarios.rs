//! Scenarios of paused jobs: the thread of the operation against the host, which resumes early,
//! frees or forks.

use std::{
    sync::{Arc, Weak, atomic::Ordering::SeqCst},
    task::{Poll, Wake as _, Waker},
};

use shuttle::thread;

use crate::{
    Error, ErrorKind, Result,
    job::{Connection, Event},
    process::{
        self,
        outcome::{Outcome, Promise},
        step,
    },
};

/// A job with an operation in flight, up to its first pause.
struct Job {
    connection: Arc<Connection>,
    /// The wait context's reference.
    event: Arc<Event>,
    operation: Arc<Outcome<u32>>,
}

impl Job {
    /// Starts the operation on a thread of its own, which ends with `result`.
    fn start(result: impl FnOnce(Promise<u32>) + Send + 'static) -> (Self, thread::JoinHandle<()>) {
        process::reset();
        let connection = Arc::new(Connection::default());
        let event = connection.event();
        event.set_callback(Some(connection.callback()));
        let (operation, promise) = Promise::new();
        let thread = thread::spawn(move || result(promise));
        (Self { connection, event, operation }, thread)
    }

    /// One look at the result. A pending job has given its waker to the operation.
    fn look(&self) -> Poll<Result<u32>> {
        self.operation.poll(&Waker::from(Arc::clone(&self.event)))
    }

    /// The host frees wait context and connection; `None` of the job's own references is dropped.
    fn free(&self) {
        self.event.close();
        self.connection.free();
    }

    /// After all threads have ended.
    fn check(self) {
        let Self { connection, event, operation } = self;
        drop((event, operation));
        assert_eq!(connection.descriptors(), 0, "no descriptor is left");
        assert_eq!(connection.calls_after_the_end.load(SeqCst), 0, "no call after the end");
    }
}

fn value(promise: Promise<u32>) {
    promise.keep(Ok(7));
}

/// A host that waits for the descriptor resumes the job when there is a result: before the pause or
/// after it.
pub fn the_descriptor_announces_the_result() {
    let (job, thread) = Job::start(value);
    let result = match job.look() {
        Poll::Ready(result) => result,
        Poll::Pending => {
            job.connection.poll();
            let Poll::Ready(result) = job.look() else { panic!("resumed without a result") };
            result
        }
    };
    assert_eq!(result.expect("a result"), 7);
    thread.join().expect("no panic");
    assert!(job.connection.calls.load(SeqCst) <= 1);
    job.free();
    job.check();
}

/// The host resumes the job whenever it likes, in between with a new callback. In the end it waits.
pub fn early_resumption_loses_nothing() {
    let (job, thread) = Job::start(value);
    let mut result = Poll::Pending;
    for _ in 0..2 {
        step();
        if result.is_pending() {
            job.event.set_callback(Some(job.connection.callback()));
            result = job.look();
        }
    }
    if result.is_pending() {
        job.connection.poll();
        result = job.look();
    }
    assert!(matches!(result, Poll::Ready(Ok(7))));
    thread.join().expect("no panic");
    job.event.reset();
    assert!(!job.connection.is_readable(), "the next operation starts without a signal");
    job.free();
    job.check();
}

/// The host frees wait context and connection while the job is paused, on any of its threads, and
/// forgets the job. Neither callback nor descriptor is used afterwards.
pub fn a_forgotten_job_touches_nothing() {
    let (job, operation) = Job::start(value);
    let pending = job.look().is_pending();
    let job = Arc::new(job);
    let host = {
        let job = Arc::clone(&job);
        thread::spawn(move || job.free())
    };
    host.join().expect("no panic");
    assert_eq!(job.connection.descriptors(), 0, "the context's descriptor is closed");
    operation.join().expect("no panic");
    let job = Arc::into_inner(job).expect("the host has ended");
    assert!(pending || job.connection.calls.load(SeqCst) == 0);
    job.check();
}

/// The stack of a forgotten job is never unwound: what it refers to is leaked. The event is not,
/// because the job holds it weakly, and the result is not, because the event cancels the operation.
pub fn a_forgotten_stack_holds_neither_event_nor_result() {
    process::reset();
    let connection = Arc::new(Connection::default());
    let event = connection.event();
    let secret = Arc::new(());
    let probe = Arc::downgrade(&secret);
    let (operation, promise) = Promise::new();
    let thread = thread::spawn(move || promise.keep(Ok(secret)));
    let on_the_stack: Weak<Event> = Arc::downgrade(&event);
    let to_cancel = Arc::clone(&operation);
    event.set_canceller(Some(Box::new(move || {
        to_cancel.cancel();
    })));
    let is_paused = operation.poll(&Waker::from(Arc::clone(&event))).is_pending();
    event.close();
    drop(event);
    thread.join().expect("no panic");
    assert!(on_the_stack.upgrade().is_none());
    assert_eq!(connection.descriptors(), 0);
    assert!(!is_paused || probe.upgrade().is_none(), "the result is dropped");
    std::mem::forget(operation);
}

/// A job has two operations: the callback of the first still runs while the second begins.
pub fn a_callback_delays_no_other_operation() {
    process::reset();
    let connection = Arc::new(Connection::default());
    let event = connection.event();
    let host = Arc::new(shuttle::sync::Mutex::new(()));
    let of_callback = Arc::clone(&host);
    let callback = connection.callback_then(move || drop(of_callback.lock()));
    event.set_callback(Some(callback));
    let (operation, promise) = Promise::new();
    let thread = thread::spawn(move || value(promise));
    if operation.poll(&Waker::from(Arc::clone(&event))).is_pending() {
        connection.poll();
    }
    {
        // The host resumes the job inside a lock that its callback takes too.
        let _held = host.lock();
        drop(operation);
        event.set_callback(Some(callback));
        event.reset();
    }
    thread.join().expect("no panic");
    event.close();
}

/// The job is cancelled: its operation is dropped at any moment, and its result with it.
pub fn a_cancelled_operation_keeps_nothing() {
    let result = Arc::new(());
    let probe = Arc::downgrade(&result);
    process::reset();
    let (operation, promise) = Promise::new();
    let connection = Arc::new(Connection::default());
    let event = connection.event();
    let thread = thread::spawn(move || promise.keep(Ok(result)));
    drop(operation.poll(&Waker::from(Arc::clone(&event))));
    operation.cancel();
    thread.join().expect("no panic");
    drop(operation);
    assert!(probe.upgrade().is_none(), "the result is dropped");
    event.close();
    drop(event);
    assert_eq!(connection.descriptors(), 0);
}

/// A task that ends without a result, as by a panic, resumes the job with an error.
pub fn a_lost_task_resumes_the_job() {
    let (job, thread) = Job::start(drop);
    let mut result = job.look();
    if result.is_pending() {
        job.connection.poll();
        result = job.look();
    }
    assert!(matches!(result, Poll::Ready(Err(error)) if error.kind() == ErrorKind::Internal));
    thread.join().expect("no panic");
    job.free();
    job.check();
}

/// An operation that has failed resumes the job as one that has succeeded.
pub fn a_failure_resumes_the_job() {
    let fail = |promise: Promise<u32>| promise.keep(Err(Error::new(ErrorKind::Network, "gone")));
    let (job, thread) = Job::start(fail);
    let mut result = job.look();
    if result.is_pending() {
        job.connection.poll();
        result = job.look();
    }
    assert!(matches!(result, Poll::Ready(Err(error)) if error.kind() == ErrorKind::Network));
    thread.join().expect("no panic");
    job.free();
    job.check();
}

/// The host's callback frees its own wait context.
pub fn a_callback_may_free_its_context() {
    process::reset();
    let connection = Arc::new(Connection::default());
    let event = connection.event();
    let (operation, promise) = Promise::new();
    let own = Arc::downgrade(&event);
    event.set_callback(Some(connection.callback_then(move || {
        if let Some(event) = own.upgrade() {
            event.close();
        }
    })));
    let thread = thread::spawn(move || value(promise));
    let pending = operation.poll(&Waker::from(Arc::clone(&event))).is_pending();
    thread.join().expect("no panic");
    // An operation that was abandoned before wakes the event once more.
    Arc::clone(&event).wake();
    assert_eq!(connection.calls.load(SeqCst), 1, "{pending}");
    drop((event, operation));
    assert_eq!(connection.descriptors(), 0);
}

/// A child that is forked while its parent's thread signals frees its copy of the context: it waits
/// for no lock, and calls nobody.
pub fn a_child_frees_its_copy() {
    process::reset();
    let connection = Arc::new(Connection::default());
    let event = connection.event();
    event.set_callback(Some(connection.callback()));
    let (operation, promise) = Promise::new();
    drop(operation.poll(&Waker::from(Arc::clone(&event))));
    crate::spawn(async move { value(promise) });
    step();
    step();
    process::fork();
    let calls = connection.calls.load(SeqCst);
    operation.cancel_in_child();
    event.reset();
    event.close();
    Arc::clone(&event).wake();
    assert_eq!(connection.calls.load(SeqCst), calls, "the child calls nobody");
    process::end();
}
