//! The guard that every function called by C runs in.

use std::any::Any;
use std::ffi::{CString, c_int, c_void};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::{Arc, Once};

use crate::cancellation::uncancelled;
use crate::stack::on_own_stack;

/// Receives errors: the error queue of a libcrypto.
pub trait ErrorQueue {
    /// Pushes one entry.
    fn raise(&self, entry: &Entry);
}

/// Longest message of an entry in bytes; libcrypto truncates at 1024.
pub const MAX_MESSAGE: usize = 1000;

/// An entry of an error queue.
pub struct Entry {
    /// A reason code of this module.
    pub reason: u32,
    /// One line of at most [`MAX_MESSAGE`] bytes.
    pub message: CString,
    /// The function that failed.
    pub function: CString,
    /// The source file in which it failed.
    pub file: CString,
    /// The line in that file.
    pub line: c_int,
}

impl Entry {
    fn new(reason: u32, message: &str, function: &str, place: &Location<'_>) -> Self {
        // Control characters have been replaced, so the text contains no NUL.
        let text = |text: &str| CString::new(one_line(text)).unwrap_or_default();
        let cut = &message[..message.floor_char_boundary(MAX_MESSAGE)];
        Self {
            reason,
            message: text(cut),
            function: text(function),
            file: text(in_crate(place.file())),
            line: c_int::try_from(place.line()).unwrap_or(0),
        }
    }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Why a function failed.
pub trait Failure {
    /// Reason code and message for the error queue. `None` if the failure is an expected result
    /// (such as "not my data") that must not push an error.
    fn entry(&self) -> Option<(u32, String)>;

    /// The failure that reports a bug (a panic).
    fn bug(message: String) -> Self;
}

/// A value returned to C.
pub trait Return {
    /// The C type.
    type Raw;
    /// The value that reports failure to C.
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

/// Runs `body` with a host but without an object.
///
/// As with all functions here, the calling thread cannot be cancelled during the call (see
/// [`uncancelled`]).
#[track_caller]
pub fn run<T: Return, E: Failure>(
    name: &'static str,
    host: &impl ErrorQueue,
    body: impl FnOnce() -> Result<T, E>,
) -> T::Raw {
    let place = Location::caller();
    enter(|| caught(name, place, host, body))
}

/// Runs a `body` that waits, with a host but without an object.
///
/// Unlike with [`run`], the body is on the caller's stack, which it may leave while it waits
/// ([`outside`](crate::outside)). All that needs stack it runs [`deep`].
#[track_caller]
pub fn run_waiting<T: Return, E: Failure>(
    name: &'static str,
    host: &impl ErrorQueue,
    body: impl FnOnce() -> Result<T, E>,
) -> T::Raw {
    let place = Location::caller();
    uncancelled(|| {
        deep(|| tracing::trace!(target: "akv::abi", "{name}"));
        match catch_unwind(AssertUnwindSafe(body)) {
            Ok(Ok(value)) => value.into_raw(),
            Ok(Err(failure)) => deep(|| report::<T, E>(name, place, host, &failure)),
            Err(panic) => deep(|| report::<T, E>(name, place, host, &bug(name, &*panic))),
        }
    })
}

/// The stack that the body of a function starts on.
pub trait Stack {
    /// Runs the body there, with a host but without an object.
    #[track_caller]
    fn run<T: Return, E: Failure>(
        name: &'static str,
        host: &impl ErrorQueue,
        body: impl FnOnce() -> Result<T, E>,
    ) -> T::Raw;
}

/// A stack of our own, if the caller's is small: [`run`].
pub struct OwnStack;

/// The caller's stack, for a body that waits: [`run_waiting`].
pub struct CallersStack;

impl Stack for OwnStack {
    fn run<T: Return, E: Failure>(
        name: &'static str,
        host: &impl ErrorQueue,
        body: impl FnOnce() -> Result<T, E>,
    ) -> T::Raw {
        run(name, host, body)
    }
}

impl Stack for CallersStack {
    fn run<T: Return, E: Failure>(
        name: &'static str,
        host: &impl ErrorQueue,
        body: impl FnOnce() -> Result<T, E>,
    ) -> T::Raw {
        run_waiting(name, host, body)
    }
}

/// Runs a part of a body on a stack of our own if the current one is small. It must not wait.
pub fn deep<R>(work: impl FnOnce() -> R) -> R {
    let result = on_own_stack(|| catch_unwind(AssertUnwindSafe(work)));
    result.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Enters Rust from C: disables cancellation and uses little of the caller's stack.
pub(crate) fn enter<R>(body: impl FnOnce() -> R) -> R {
    uncancelled(|| on_own_stack(body))
}

fn caught<T: Return, E: Failure>(
    name: &'static str,
    place: &Location<'_>,
    host: &impl ErrorQueue,
    body: impl FnOnce() -> Result<T, E>,
) -> T::Raw {
    tracing::trace!(target: "akv::abi", "{name}");
    // The body captures only pointers and the object. An object that was partly modified before a
    // panic is still valid, since no invariant spans two fields.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => value.into_raw(),
        Ok(Err(failure)) => report::<T, E>(name, place, host, &failure),
        Err(panic) => report::<T, E>(name, place, host, &bug(name, &*panic)),
    }
}

fn bug<E: Failure>(name: &str, panic: &dyn Any) -> E {
    E::bug(format!("internal error in {name}: {}", panic_text(panic)))
}

/// Reports a failure to the host. Returns the value that reports it to C.
fn report<T: Return, E: Failure>(
    name: &'static str,
    place: &Location<'_>,
    host: &impl ErrorQueue,
    failure: &E,
) -> T::Raw {
    // Building and pushing the entry calls into the error and the host; neither may panic into C.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        if let Some((reason, message)) = failure.entry() {
            tracing::debug!(target: "akv::abi", "{name}: {message}");
            host.raise(&Entry::new(reason, &message, name, place));
        }
    }));
    T::FAILED
}

/// Runs the infallible `body` on an object that other threads may be using too. Returns `otherwise`
/// if the object is null or `body` panics.
///
/// # Safety
/// `object` is null or points to a live `O`.
pub unsafe fn query<O, R>(
    name: &'static str,
    object: *const c_void,
    otherwise: R,
    body: impl FnOnce(&O) -> R,
) -> R {
    // SAFETY: guaranteed by the caller.
    match unsafe { object.cast::<O>().as_ref() } {
        Some(object) => catch_panic(name, otherwise, || body(object)),
        None => otherwise,
    }
}

/// Runs the infallible `body`, which has neither an object nor a host to report errors to. Returns
/// `otherwise` if it panics.
pub fn catch_panic<R>(name: &'static str, otherwise: R, body: impl FnOnce() -> R) -> R {
    enter(|| {
        tracing::trace!(target: "akv::abi", "{name}");
        catch_unwind(AssertUnwindSafe(body)).unwrap_or(otherwise)
    })
}

/// Keeps panics from printing to the host's stderr; they are reported through the error queue.
///
/// The hook is installed in this module's copy of the Rust standard library, not in the host's.
pub fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let place = info.location().map_or_else(String::new, |place| {
                format!(" at {}:{}", in_crate(place.file()), place.line())
            });
            tracing::error!(target: "akv::abi", "panic{place}: {}", panic_text(info.payload()));
        }));
    });
}

/// A source file without the directories of the build machine: `tokio-1.48.0/src/task.rs`.
fn in_crate(file: &str) -> &str {
    let Some(sources) = file.rfind("/src/") else {
        return file.rsplit('/').next().unwrap_or_default();
    };
    let krate = file[..sources].rfind('/').map_or(0, |slash| slash + 1);
    &file[krate..]
}

fn panic_text(panic: &dyn Any) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_from_their_crate_on() {
        for (file, shown) in [
            (
                "/home/me/.cargo/registry/src/index/tokio-1.48.0/src/task.rs",
                "tokio-1.48.0/src/task.rs",
            ),
            ("provider-shim/src/store/mod.rs", "provider-shim/src/store/mod.rs"),
            ("/home/me/src/akv/ffi/src/key.rs", "ffi/src/key.rs"),
            ("/home/me/akv/target/out/bindings.rs", "bindings.rs"),
            ("src/lib.rs", "lib.rs"),
        ] {
            assert_eq!(in_crate(file), shown);
        }
    }

    #[test]
    fn messages_are_one_line_of_bounded_length() {
        let entry = |message: &str| Entry::new(1, message, "sign", Location::caller());
        assert_eq!(entry("100% of\nvault:v:k\0 %s").message.as_c_str(), c"100% of vault:v:k  %s");
        assert_eq!(entry("").function.as_c_str(), c"sign");
        let long = entry(&"ü%".repeat(900)).message;
        let text = long.to_str().expect("cut at a character");
        assert!(text.len() <= MAX_MESSAGE && text.len() > MAX_MESSAGE - 3, "{}", text.len());
    }
}
