//! What a host sees of a job's wait context, with stand-ins for libcrypto's functions.

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::task::Waker;

use super::Jobs;
use super::functions::{CleanupFn, Job, WaitContext};

/// The one job of this thread, and its wait context.
#[derive(Default)]
struct Host {
    /// The descriptor, its data and its cleanup.
    registered: Option<(c_int, *mut c_void, CleanupFn)>,
    /// For each pause, whether the descriptor was readable.
    pauses: Vec<bool>,
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
    HOST.with_borrow_mut(|host| {
        let (descriptor, ..) = host.registered.expect("a job that pauses has a descriptor");
        let mut poll = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
        // SAFETY: there is one.
        let ready = unsafe { libc::poll(&raw mut poll, 1, 0) };
        host.pauses.push(ready == 1);
    });
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

/// Waits for an operation that has ended when it is asked this many times, and returns the pauses.
fn pauses(times: usize) -> Vec<bool> {
    let mut asked = 0;
    JOBS.wait(&mut |_: &Waker| {
        asked += 1;
        asked >= times
    });
    HOST.with_borrow_mut(|host| std::mem::take(&mut host.pauses))
}

fn has_descriptor() -> bool {
    HOST.with_borrow(|host| host.registered.is_some())
}

/// As libcrypto does when the host frees the wait context.
fn free_context() {
    if let Some((descriptor, data, cleanup)) = HOST.take().registered {
        // SAFETY: it was registered with this data.
        unsafe { cleanup(ptr::null_mut(), ptr::null(), descriptor, data) };
    }
}

#[test]
fn an_operation_that_has_ended_needs_no_descriptor() {
    assert_eq!((pauses(1), has_descriptor()), (vec![], false));
    free_context();
}

#[test]
fn a_new_descriptor_is_shown_to_the_host_even_if_the_operation_ends_before_the_pause() {
    // It ends between the first question and the one that comes with a waker.
    assert_eq!((pauses(2), has_descriptor()), (vec![true], true));
    // The host knows the descriptor now, and the event is over.
    assert_eq!(pauses(2), []);
    assert_eq!(pauses(4), [false, false]);
    free_context();
}
