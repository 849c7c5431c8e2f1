//! The boundary between C and Rust.
//!
//! Every function in a dispatch table hands its body to [`shared`], [`exclusive`] or one of their
//! relatives. They check the object's pointer, keep panics from crossing into C, push exactly one
//! entry to the host's error queue when the body fails, and trace the call.

use crate::host::Host;
use std::any::Any;
use std::ffi::{CString, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::{Arc, Once};

/// Where failures are told: the error queue of a libcrypto.
pub trait ErrorQueue {
    /// Pushes one entry.
    fn raise(&self, entry: &Entry);
}

/// Longest message of an entry in bytes: libcrypto cuts at 1 024.
pub const MAX_MESSAGE: usize = 1000;

/// An entry for an error queue.
pub struct Entry {
    /// A reason number of the module's own.
    pub reason: u32,
    /// One line of at most [`MAX_MESSAGE`] bytes.
    pub message: CString,
    /// The function that failed.
    pub function: CString,
    /// Where in the source that was.
    pub file: CString,
    /// The line there.
    pub line: c_int,
}

impl Entry {
    fn new(reason: u32, message: &str, function: &str, place: &Location<'_>) -> Self {
        // No text has a NUL any more, so none is lost.
        let text = |text: &str| CString::new(one_line(text)).unwrap_or_default();
        let cut = &message[..message.floor_char_boundary(MAX_MESSAGE)];
        Self {
            reason,
            message: text(cut),
            function: text(function),
            file: text(place.file()),
            line: c_int::try_from(place.line()).unwrap_or(0),
        }
    }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// An object that C holds a pointer to.
pub trait Object {
    /// Whose error queue hears of failures.
    fn host(&self) -> &Host;
}

/// Why a function failed.
pub trait Failure {
    /// Reason number and message for the error queue; `None` when the failure is an answer (such
    /// as "not my data"), which must not leave a trace there.
    fn entry(&self) -> Option<(u32, String)>;

    /// The failure that a bug (a panic) is reported as.
    fn bug(message: String) -> Self;
}

/// What a function gives back to C.
pub trait Return {
    /// The C type.
    type Raw;
    /// What C takes as a failure.
    const FAILED: Self::Raw;
    /// The value for C.
    fn into_raw(self) -> Self::Raw;
}

impl Return for () {
    type Raw = c_int;
    const FAILED: c_int = 0;
    fn into_raw(self) -> c_int {
        1
    }
}

impl Return for bool {
    type Raw = c_int;
    const FAILED: c_int = 0;
    fn into_raw(self) -> c_int {
        self.into()
    }
}

impl<T> Return for Box<T> {
    type Raw = *mut c_void;
    const FAILED: *mut c_void = ptr::null_mut();
    fn into_raw(self) -> *mut c_void {
        Self::into_raw(self).cast()
    }
}

impl<T> Return for Arc<T> {
    type Raw = *mut c_void;
    const FAILED: *mut c_void = ptr::null_mut();
    fn into_raw(self) -> *mut c_void {
        Self::into_raw(self).cast_mut().cast()
    }
}

/// Runs `body` on an object that other threads may be using too.
///
/// # Safety
/// `object` is null or leads to a live `O`.
#[track_caller]
pub unsafe fn shared<O: Object, T: Return, E: Failure>(
    name: &'static str,
    object: *const c_void,
    body: impl FnOnce(&O) -> Result<T, E>,
) -> T::Raw {
    // SAFETY: vouched for by the caller.
    match unsafe { object.cast::<O>().as_ref() } {
        Some(object) => run(name, object.host(), || body(object)),
        None => T::FAILED,
    }
}

/// Runs `body` on an object that belongs to this call alone: an operation's context.
///
/// # Safety
/// `object` is null or leads to a live `O` that nobody else uses meanwhile.
#[track_caller]
pub unsafe fn exclusive<O: Object, T: Return, E: Failure>(
    name: &'static str,
    object: *mut c_void,
    body: impl FnOnce(&mut O) -> Result<T, E>,
) -> T::Raw {
    // SAFETY: vouched for by the caller.
    match unsafe { object.cast::<O>().as_mut() } {
        Some(object) => {
            let host = *object.host();
            run(name, &host, || body(object))
        }
        None => T::FAILED,
    }
}

/// Runs `body` with a host but without an object.
#[track_caller]
pub fn run<T: Return, E: Failure>(
    name: &'static str,
    host: &impl ErrorQueue,
    body: impl FnOnce() -> Result<T, E>,
) -> T::Raw {
    tracing::trace!(target: "akv::abi", "{name}");
    // The body's captures are pointers and the object; an object that a panic left half changed
    // is still a valid value, and no invariant of ours spans two fields.
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => return value.into_raw(),
        Ok(Err(failure)) => failure,
        Err(panic) => E::bug(format!("internal error in {name}: {}", panic_text(&*panic))),
    };
    // Writing the entry runs code of the host and of the error; neither may panic into C.
    let place = Location::caller();
    let _ = catch_unwind(AssertUnwindSafe(|| {
        if let Some((reason, message)) = failure.entry() {
            tracing::debug!(target: "akv::abi", "{name}: {message}");
            host.raise(&Entry::new(reason, &message, name, place));
        }
    }));
    T::FAILED
}

/// Runs `body`, which cannot fail, on an object that other threads may be using too, and returns
/// `otherwise` when there is no object or `body` panics.
///
/// # Safety
/// `object` is null or leads to a live `O`.
pub unsafe fn query<O, R>(
    name: &'static str,
    object: *const c_void,
    otherwise: R,
    body: impl FnOnce(&O) -> R,
) -> R {
    tracing::trace!(target: "akv::abi", "{name}");
    // SAFETY: vouched for by the caller.
    let Some(object) = (unsafe { object.cast::<O>().as_ref() }) else {
        return otherwise;
    };
    catch_unwind(AssertUnwindSafe(|| body(object))).unwrap_or(otherwise)
}

/// Frees an object that [`Box::into_raw`] gave to C.
///
/// # Safety
/// `object` is null or such a pointer, and nobody uses it any more.
pub unsafe fn free_box<O>(object: *mut c_void) {
    if !object.is_null() {
        // SAFETY: vouched for by the caller.
        let object = unsafe { Box::from_raw(object.cast::<O>()) };
        let _ = catch_unwind(AssertUnwindSafe(|| drop(object)));
    }
}

/// Gives up a count of an object that [`Arc::into_raw`] gave to C.
///
/// # Safety
/// `object` is null or such a pointer, and its holder does not use it any more.
pub unsafe fn free_arc<O>(object: *mut c_void) {
    if !object.is_null() {
        // SAFETY: vouched for by the caller.
        let object = unsafe { Arc::from_raw(object.cast::<O>()) };
        let _ = catch_unwind(AssertUnwindSafe(|| drop(object)));
    }
}

/// One more count of an object that [`Arc::into_raw`] gave to C.
///
/// # Safety
/// `object` is null or such a pointer, and its holder keeps its count meanwhile.
pub unsafe fn clone_arc<O>(object: *const c_void) -> Option<Arc<O>> {
    let object = object.cast::<O>();
    if object.is_null() {
        return None;
    }
    // SAFETY: vouched for by the caller: the count is at least one, and becomes one more.
    unsafe {
        Arc::increment_strong_count(object);
        Some(Arc::from_raw(object))
    }
}

/// Bytes that C passes with their length; null is no bytes when the length is 0. `None` for null
/// otherwise, and for a length that no object in memory has.
///
/// # Safety
/// `data` is null or leads to `len` readable bytes that stay as they are for `'a`.
pub unsafe fn bytes<'a>(data: *const u8, len: usize) -> Option<&'a [u8]> {
    match (data.is_null(), len) {
        (_, 0) => Some(&[]),
        (true, _) => None,
        (false, len) if isize::try_from(len).is_err() => None,
        // SAFETY: vouched for by the caller.
        (false, _) => Some(unsafe { slice::from_raw_parts(data, len) }),
    }
}

/// A C string that is text; `None` for null and for what is not UTF-8.
///
/// # Safety
/// `text` is null or a C string that stays as it is for `'a`.
pub unsafe fn text<'a>(text: *const c_char) -> Option<&'a str> {
    if text.is_null() {
        return None;
    }
    // SAFETY: vouched for by the caller.
    unsafe { std::ffi::CStr::from_ptr(text) }.to_str().ok()
}

/// Where C wants an operation's output: a buffer, its size, and where the length goes. Without a
/// buffer only the length is asked for.
///
/// The buffer stays a pointer: callers that state more room than there is (`SIZE_MAX`, say) get
/// away with it in C, where nobody looks at more than what is written. So it is here.
pub struct Output<'a> {
    buffer: Option<NonNull<u8>>,
    size: usize,
    len: &'a mut usize,
}

impl<'a> Output<'a> {
    /// The output at `buffer`; `None` when there is no place for the length.
    ///
    /// # Safety
    /// `buffer` is null or leads to room for the output, of which there are at most `size` bytes;
    /// `len` is null or leads to a `size_t`; both for `'a` and not overlapping.
    pub unsafe fn new(buffer: *mut u8, len: *mut usize, size: usize) -> Option<Self> {
        // SAFETY: vouched for by the caller.
        let len = unsafe { len.as_mut() }?;
        Some(Self { buffer: NonNull::new(buffer), size, len })
    }

    /// The room, or `None` when only the length is asked for.
    pub fn room(&self) -> Option<usize> {
        self.buffer.map(|_| self.size)
    }

    /// Answers a question for the length.
    pub fn answer_len(self, len: usize) {
        *self.len = len;
    }

    /// Writes the output; `false`, with nothing written, when it does not fit.
    #[must_use]
    pub fn write(self, data: &[u8]) -> bool {
        let Some(buffer) = self.buffer.filter(|_| data.len() <= self.size) else {
            return false;
        };
        // SAFETY: there is room for that many bytes, as the caller of `new` vouched; the data is
        // ours, so it does not overlap with the host's buffer.
        unsafe { ptr::copy_nonoverlapping(data.as_ptr(), buffer.as_ptr(), data.len()) };
        *self.len = data.len();
        true
    }
}

/// Keeps panics from printing to the host's stderr: they reach its error queue instead.
///
/// The hook is that of the Rust library inside this module, not the host's.
pub fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            tracing::error!(target: "akv::abi", "{info}");
        }));
    });
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_one_line_of_bounded_length() {
        let entry = |message: &str| Entry::new(1, message, "sign", Location::caller());
        assert_eq!(entry("100% of\nvault:v:k\0 %s").message.as_c_str(), c"100% of vault:v:k  %s");
        assert_eq!(entry("").function.as_c_str(), c"sign");
        let long = entry(&"ü%".repeat(900)).message;
        let text = long.to_str().expect("cut at a character");
        assert!(text.len() <= MAX_MESSAGE && text.len() > MAX_MESSAGE - 3, "{}", text.len());
    }

    #[test]
    fn more_room_stated_than_there_is_does_no_harm() {
        let mut buffer = [0_u8; 4];
        let mut len = usize::MAX;
        // SAFETY: there is room for what is written.
        let out = unsafe { Output::new(buffer.as_mut_ptr(), &mut len, usize::MAX) };
        let out = out.expect("a place for the length");
        assert_eq!(out.room(), Some(usize::MAX));
        assert!(out.write(&[1, 2, 3]));
        assert_eq!((buffer, len), ([1, 2, 3, 0], 3));
    }

    #[test]
    fn output_that_does_not_fit_is_not_written() {
        let mut buffer = [0_u8; 2];
        let mut len = 7;
        // SAFETY: the buffer is as large as stated.
        let out = unsafe { Output::new(buffer.as_mut_ptr(), &mut len, buffer.len()) };
        assert!(!out.expect("a place for the length").write(&[1, 2, 3]));
        assert_eq!((buffer, len), ([0, 0], 7));
        // SAFETY: null is allowed.
        assert!(unsafe { Output::new(buffer.as_mut_ptr(), ptr::null_mut(), 2) }.is_none());
    }
}
