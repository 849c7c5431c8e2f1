//! The [`entry!`](crate::entry!) macro, which declares a function that C calls by the kinds of its
//! arguments.

mod arguments;
mod expand;
#[cfg(test)]
mod tests;

pub use self::arguments::{
    Call, CoreCallback, CorePassphrase, Input, Place, answers, bio, bytes, callback, count, object,
    optional_bytes, output, params, passphrase, place, reference, text,
};

use std::fmt;

/// A pointer that must not be null, but is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NullPointer(pub &'static str);

impl fmt::Display for NullPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no {} given (a null pointer)", self.0)
    }
}

/// Declares a function that C calls: its name for traces and errors, the kinds of its arguments,
/// and a body.
///
/// ```
/// # use ossl_abi::{Failure, Host, Output, entry, entry::NullPointer, guard::Object};
/// # struct Error(NullPointer);
/// # impl From<NullPointer> for Error { fn from(null: NullPointer) -> Self { Self(null) } }
/// # impl Failure for Error {
/// #     fn entry(&self) -> Option<(u32, String)> { Some((1, self.0.to_string())) }
/// #     fn bug(_: String) -> Self { Self(NullPointer("bug")) }
/// # }
/// # struct Context(Host);
/// # impl Object for Context { fn host(&self) -> &Host { &self.0 } }
/// # impl Context { fn sign(&mut self, _: Output<'_>, _: &[u8]) -> Result<(), Error> { Ok(()) } }
/// entry! {
///     /// Signs a digest.
///     fn sign(
///         "signature sign",
///         ctx: &mut Context,
///         out: Output("place for the signature's length"),
///         digest: Bytes("digest"),
///     ) -> Result<(), Error> {
///         ctx.sign(out, digest)
///     }
/// }
/// # use ossl_abi::functions::signature;
/// const ENTRY: ossl_abi::Dispatch = signature::SIGN.entry(sign);
/// ```
///
/// The result is a function of the prototype of [`SIGN`](crate::functions::signature::SIGN), whose
/// body runs in the [guard](crate::guard). The body is safe code: what C guarantees for each kind
/// of argument is stated once, in the [module of the same name](mod@crate::entry). All arguments of
/// the body borrow from the call and cannot outlive it.
///
/// # The object
/// The first argument is the object that the function works on, if there is one:
///
/// | argument | in C | what C guarantees unless the pointer is null |
/// |---|---|---|
/// | `&mut T` | `void *` | a live `T` that nothing else uses during the call |
/// | `&T` | `const void *` | a live `T` that other threads may read too |
/// | `&Arc<T>` | `void *` | a `T` that came from `Arc::into_raw`, of which C holds a reference |
/// | `const &Arc<T>` | `const void *` | the same |
///
/// With a null pointer, the function fails without pushing an error. If libcrypto passes none of
/// our objects, write `host in Host::at(SLOT)` instead: an expression that evaluates to the host,
/// if there is one ([`Slotted`](crate::guard::Slotted)).
///
/// # Other arguments
/// | argument | in C | in the body |
/// |---|---|---|
/// | `Bytes("data")` | `const unsigned char *, size_t` | `&[u8]` |
/// | `Option<Bytes>` | the same | `Option<&[u8]>`, `None` for null |
/// | `Input("data")` | the same | [`Input`], for data that is missing when C asks for the length only |
/// | `Reference` | `const void *, size_t` | `Option<&[u8]>` |
/// | `Option<Text>` | `const char *` | `Option<&str>`, `None` if null or not UTF-8 |
/// | `Output("place")` | `unsigned char *, size_t *, size_t` | [`Output`](crate::Output) |
/// | `Option<Output>` | the same | `Option<Output>`, `None` if there is no place for the length |
/// | `Params` | `const OSSL_PARAM *` | [`Params`](crate::params::Params) |
/// | `Answers` | `OSSL_PARAM *` | `&mut` [`Answers`](crate::params::Answers) |
/// | `Option<Place<T>>` | `T *` | `Option` of a [`Place`] |
/// | `Option<&T>` | `const void *` | `Option<&T>` |
/// | `Option<Arc<T>>` | `void *` | `Option<Arc<T>>` |
/// | `Bio("input")` | `OSSL_CORE_BIO *` | `&mut` [`Bio`](crate::host::Bio) |
/// | `Callback("callback")` | `OSSL_CALLBACK *, void *` | [`CoreCallback`] |
/// | `Option<Callback>` | the same | `Option<CoreCallback>` |
/// | `Passphrase` | `OSSL_PASSPHRASE_CALLBACK *, void *` | [`CorePassphrase`] |
/// | `T as c_int` | `int` | `T`, by `From<c_int>` |
/// | any other type | the same type | unchanged: numbers, and pointers that are not dereferenced |
///
/// For kinds with a text, null fails with the error `no TEXT given (a null pointer)`
/// ([`NullPointer`]) before the body runs.
///
/// # The result
/// - `-> Result<T>`: C gets the value defined by [`Return`](crate::guard::Return). An error is
///   pushed to the host's error queue with the source location of the `entry!`, so declare each
///   function with its own.
/// - `-> Result<T>, waits`: the body waits for an operation on the caller's stack, which it leaves
///   while an [ASYNC job](crate::job) is paused. All that needs stack it runs
///   [deep](crate::guard::deep).
/// - `-> T, or VALUE`: a function that cannot fail. C gets `VALUE` if the object is null or the
///   body panics. The function may have no object at all.
/// - no body, and `Box<T>` or `Arc<T>` as the only argument: the function frees C's object or
///   reference. It returns nothing or a constant: `fn close(loader: Box<Loader>) -> c_int = 1;`.
#[macro_export]
macro_rules! entry {
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident $(<$($($generic:ident)+ : $bound:path),+>)? (
            $trace:literal $(, $($arguments:tt)*)?
        ) -> $ret:ty $body:block
    ) => {
        $crate::__entry! { @object
            [[$(#[$meta])*] [$vis] $name [$(<$($($generic)+ : $bound),+>)?] $trace [$ret] $body try OwnStack]
            $($($arguments)*)?
        }
    };
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident $(<$($($generic:ident)+ : $bound:path),+>)? (
            $trace:literal $(, $($arguments:tt)*)?
        ) -> $ret:ty, waits $body:block
    ) => {
        $crate::__entry! { @object
            [
                [$(#[$meta])*] [$vis] $name [$(<$($($generic)+ : $bound),+>)?] $trace [$ret] $body
                try CallersStack
            ]
            $($($arguments)*)?
        }
    };
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident $(<$($($generic:ident)+ : $bound:path),+>)? (
            $trace:literal $(, $($arguments:tt)*)?
        ) -> $ret:ty, or $otherwise:tt $body:block
    ) => {
        $crate::__entry! { @object
            [
                [$(#[$meta])*] [$vis] $name [$(<$($($generic)+ : $bound),+>)?] $trace [$ret] $body
                or $otherwise
            ]
            $($($arguments)*)?
        }
    };
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident $(<$($($generic:ident)+ : $bound:path),+>)? (
            $object:ident : Box<$type:ty>
        ) $(-> $ret:ty = $value:expr)?;
    ) => {
        $(#[$meta])*
        $vis unsafe extern "C" fn $name $(<$($($generic)+ : $bound),+>)? (
            object: *mut ::std::ffi::c_void
        ) $(-> $ret)? {
            // SAFETY: C passes a pointer from `Box::into_raw`, once, and does not use it again.
            unsafe { $crate::guard::free_box::<$type>(object) };
            $($value)?
        }
    };
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident $(<$($($generic:ident)+ : $bound:path),+>)? (
            $object:ident : Arc<$type:ty>
        ) $(-> $ret:ty = $value:expr)?;
    ) => {
        $(#[$meta])*
        $vis unsafe extern "C" fn $name $(<$($($generic)+ : $bound),+>)? (
            object: *mut ::std::ffi::c_void
        ) $(-> $ret)? {
            // SAFETY: C passes a pointer from `Arc::into_raw`, once for each reference.
            unsafe { $crate::guard::free_arc::<$type>(object) };
            $($value)?
        }
    };
}
