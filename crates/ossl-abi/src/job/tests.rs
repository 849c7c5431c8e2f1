//! What a host sees of a job's wait context, with stand-ins for libcrypto's functions.

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use super::functions::{CleanupFn, Job, WaitContext};
use super::{InFlight, Jobs};

/// The one job of this thread, and its wait context.
#[derive(Default)]
struct Host {
    /// The descriptor, its data and its cleanup.
    registered: Option<(c_int, *mut c_void, CleanupFn)>,
    /// For each pause, whether the descriptor was readable.
    pauses: Vec<bool>,
    /// Whether the host frees the wait context during a pause, and resumes the job nevertheless.
    frees_in_pause: bool,
}

thread_local! {
    static HOST: RefCell<Host> = RefCell::default();
}

const JOBS: Jobs = Jobs {
    get_current_job,
    get_wait_ctx,
    pause_job,
    get_fd,
    set_wait_fd,
    clear_fd,
    get_callback: None,
    set_status: None,
};

unsafe extern "C" fn get_current_job() -> *mut Job {
    ptr::dangling_mut()
}

unsafe extern "C" fn get_wait_ctx(job: *mut Job) -> *mut WaitContext {
    job
}

unsafe extern "C" fn pause_job() -> c_int {
    let freed = HOST.with_borrow_mut(|host| {
        let (descriptor, ..) = host.registered.expect("a job that pauses has a descriptor");
        let mut poll = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
        // SAFETY: there is one.
        let ready = unsafe { libc::poll(&raw mut poll, 1, 0) };
        host.pauses.push(ready == 1);
        if host.frees_in_pause { host.registered.take() } else { None }
    });
    if let Some((descriptor, data, cleanup)) = freed {
        // SAFETY: as libcrypto calls it.
        unsafe { cleanup(ptr::null_mut(), ptr::null(), descriptor, data) };
    }
    1
}

unsafe extern "C" fn get_fd(
    _context: *mut WaitContext,
    _key: *const c_void,
    descriptor: *mut c_int,
    data: *mut *mut c_void,
) -> c_int {
    HOST.with_borrow(|host| {
        let Some(registered) = host.registered else { return 0 };
        // SAFETY: the caller has room for both.
        unsafe { (*descriptor, *data) = (registered.0, registered.1) };
        1
    })
}

unsafe extern "C" fn set_wait_fd(
    _context: *mut WaitContext,
    _key: *const c_void,
    descriptor: c_int,
    data: *mut c_void,
    cleanup: CleanupFn,
) -> c_int {
    HOST.with_borrow_mut(|host| host.registered = Some((descriptor, data, cleanup)));
    1
}

unsafe extern "C" fn clear_fd(_context: *mut WaitContext, _key: *const c_void) -> c_int {
    HOST.with_borrow_mut(|host| host.registered = None);
    1
}

/// An operation that has ended when it is asked for the last of some times.
struct Operation {
    times: usize,
    cancelled: Arc<AtomicBool>,
}

impl InFlight for Operation {
    fn has_ended(&mut self, _waker: &Waker) -> bool {
        self.times = self.times.saturating_sub(1);
        self.times == 0
    }

    fn canceller(&self) -> Box<dyn FnOnce() + Send> {
        let cancelled = Arc::clone(&self.cancelled);
        Box::new(move || cancelled.store(true, Ordering::Relaxed))
    }
}

/// Waits for an operation that has ended when it is asked this many times. Returns the pauses, and
/// whether the operation was cancelled.
fn wait(times: usize) -> (Vec<bool>, bool) {
    let cancelled = Arc::<AtomicBool>::default();
    JOBS.wait(&mut Operation { times, cancelled: Arc::clone(&cancelled) });
    let pauses = HOST.with_borrow_mut(|host| std::mem::take(&mut host.pauses));
    (pauses, cancelled.load(Ordering::Relaxed))
}

fn has_descriptor() -> bool {
    HOST.with_borrow(|host| host.registered.is_some())
}

/// As libcrypto does when the host frees the wait context.
fn free_context() {
    if let Some((descriptor, data, cleanup)) = HOST.with_borrow_mut(|host| host.registered.take()) {
        // SAFETY: it was registered with this data.
        unsafe { cleanup(ptr::null_mut(), ptr::null(), descriptor, data) };
    }
}

#[test]
fn an_operation_that_has_ended_needs_no_descriptor() {
    assert_eq!((wait(1), has_descriptor()), ((vec![], false), false));
    free_context();
}

#[test]
fn a_descriptor_that_the_host_has_not_seen_is_removed() {
    // It ends between the first question and the one that comes with a waker.
    assert_eq!((wait(2), has_descriptor()), ((vec![], false), false));
    free_context();
}

#[test]
fn a_descriptor_stays_in_its_context_once_the_host_has_seen_it() {
    assert_eq!((wait(4), has_descriptor()), ((vec![false, false], false), true));
    assert_eq!((wait(2), has_descriptor()), ((vec![], false), true));
    free_context();
    assert!(!has_descriptor());
}

#[test]
fn the_end_of_the_context_cancels_the_operation_of_a_paused_job() {
    HOST.with_borrow_mut(|host| host.frees_in_pause = true);
    let (pauses, cancelled) = wait(5);
    assert_eq!(pauses.len(), 1, "it cannot be paused again");
    assert!(cancelled);
}
