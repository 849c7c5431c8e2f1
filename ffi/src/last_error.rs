//! The last error of each thread, and the guard around every function.

use std::{
    cell::RefCell,
    ffi::{CString, c_char},
};

use akv_core::{Error, ErrorKind};
use c_abi::{Entry, ErrorQueue};

/// The last error of a thread: its code and message.
struct Last {
    code: i32,
    text: CString,
}

thread_local! {
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

/// Stores errors for the calling thread.
struct ThisThread;

impl ErrorQueue for ThisThread {
    fn raise(&self, entry: &Entry) {
        let code = i32::try_from(entry.reason).unwrap_or(INTERNAL);
        let last = Last { code, text: entry.message.clone() };
        // The slot is gone while the thread is being destroyed.
        let _ = LAST.try_with(|slot| slot.replace(Some(last)));
    }
}

/// The number of [`Code::Internal`](crate::Code::Internal).
const INTERNAL: i32 = crate::Code::Internal as i32;

/// An error to report to C.
pub(crate) struct Failed(Error);

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl c_abi::Failure for Failed {
    fn entry(&self) -> Option<(u32, String)> {
        Some((self.0.kind().number(), self.0.to_string()))
    }

    fn bug(message: String) -> Self {
        Self(Error::new(ErrorKind::Internal, message))
    }
}

/// The error for an invalid argument.
pub(crate) fn invalid_argument(what: &str) -> Failed {
    Failed(Error::new(ErrorKind::Argument, what))
}

/// Runs the body of a function and returns the code for C.
pub(crate) fn call(name: &'static str, body: impl FnOnce() -> Result<(), Failed>) -> i32 {
    // A library has no entry point that could do this once.
    c_abi::quiet_panics();
    match c_abi::run(name, &ThisThread, body) {
        1 => 0,
        _ => code(),
    }
}

fn code() -> i32 {
    LAST.try_with(|last| last.borrow().as_ref().map(|last| last.code))
        .ok()
        .flatten()
        .unwrap_or(INTERNAL)
}

/// The code of this thread's last error; `AKV_CODE_OK` if there was none. Successful calls do not
/// change it.
#[unsafe(no_mangle)]
pub extern "C" fn akv_last_error_code() -> i32 {
    LAST.try_with(|last| last.borrow().as_ref().map_or(0, |last| last.code)).unwrap_or(INTERNAL)
}

/// The message of this thread's last error in one line: the operation, the cause and what to do.
/// Empty if there was none. It is valid until the next error in this thread.
#[unsafe(no_mangle)]
pub extern "C" fn akv_last_error() -> *const c_char {
    LAST.try_with(|last| last.borrow().as_ref().map_or(c"".as_ptr(), |last| last.text.as_ptr()))
        .unwrap_or(c"the thread is ending".as_ptr())
}

#[cfg(test)]
mod tests {
    use std::{ffi::CStr, thread};

    use super::*;

    fn text() -> String {
        // SAFETY: the message is valid until the next error.
        unsafe { CStr::from_ptr(akv_last_error()) }.to_str().unwrap().to_owned()
    }

    #[test]
    fn each_thread_has_its_own_and_a_success_leaves_it() {
        assert_eq!((akv_last_error_code(), text()), (0, String::new()));
        assert_eq!(call("test", || Err(invalid_argument("a null pointer"))), 4);
        thread::spawn(|| assert_eq!((akv_last_error_code(), text()), (0, String::new())))
            .join()
            .unwrap();
        assert_eq!(call("test", || Ok(())), 0);
        assert_eq!((akv_last_error_code(), text().as_str()), (4, "a null pointer"));
    }

    #[test]
    fn a_panic_becomes_an_internal_error() {
        assert_eq!(call("test", || panic!("a bug")), INTERNAL);
        assert_eq!(text(), "internal error in test: a bug");
    }
}
