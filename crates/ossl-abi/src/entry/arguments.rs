//! The kinds of arguments of an [`entry!`](crate::entry!), and what C guarantees for each.
//!
//! Only the macro calls these functions, with arguments that C has just passed. The guarantees are
//! those of libcrypto's documentation (provider-keymgmt(7), provider-signature(7), …).

use std::ffi::{c_char, c_int, c_uchar, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use c_abi::Output;

use super::NullPointer;
use crate::host::{Bio, Host};
use crate::params::{Answers, Params};
use crate::types::{Callback, CoreBio, Param, PassphraseCallback};

/// One call from C. Arguments borrow from it, so that they cannot outlive the call.
pub struct Call(());

impl Call {
    /// The current call.
    #[expect(clippy::new_without_default, reason = "only the macro creates one")]
    pub const fn new() -> Self {
        Self(())
    }
}

/// `Bytes`: a pointer and a length.
///
/// # Safety
/// `data` is null or points to `len` readable bytes that do not change during the call.
pub unsafe fn bytes(_: &Call, data: *const c_uchar, len: usize) -> Option<&[u8]> {
    // SAFETY: guaranteed by the caller.
    unsafe { c_abi::bytes(data, len) }
}

/// `Option<Bytes>`: data that is absent if the pointer is null.
///
/// # Safety
/// As for [`bytes`].
pub unsafe fn optional_bytes(call: &Call, data: *const c_uchar, len: usize) -> Option<&[u8]> {
    // SAFETY: guaranteed by the caller.
    if data.is_null() { None } else { unsafe { bytes(call, data, len) } }
}

/// Data that may be missing when C only asks for the output length.
#[derive(Clone, Copy)]
pub struct Input<'call> {
    bytes: Option<&'call [u8]>,
    len: usize,
    what: &'static str,
}

impl<'call> Input<'call> {
    /// `Input`: a pointer and a length, checked only when the data is used.
    ///
    /// # Safety
    /// As for [`bytes`].
    pub unsafe fn new(
        call: &'call Call,
        data: *const c_uchar,
        len: usize,
        what: &'static str,
    ) -> Self {
        // SAFETY: guaranteed by the caller.
        Self { bytes: unsafe { bytes(call, data, len) }, len, what }
    }

    /// The length, even if the data is missing.
    #[expect(clippy::len_without_is_empty, reason = "not needed before the data is used")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The data.
    ///
    /// # Errors
    /// The data is missing.
    pub fn bytes(&self) -> Result<&'call [u8], NullPointer> {
        self.bytes.ok_or(NullPointer(self.what))
    }
}

/// `Reference`: a reference to an object, as our code passed it to a callback.
///
/// # Safety
/// As for [`bytes`].
pub unsafe fn reference(call: &Call, data: *const c_void, len: usize) -> Option<&[u8]> {
    // SAFETY: guaranteed by the caller.
    unsafe { bytes(call, data.cast(), len) }
}

/// `Option<Text>`: a C string; `None` if it is null or not UTF-8.
///
/// # Safety
/// `text` is null or a C string that does not change during the call.
pub unsafe fn text(_: &Call, text: *const c_char) -> Option<&str> {
    // SAFETY: guaranteed by the caller.
    unsafe { c_abi::text(text) }
}

/// `Output`: a buffer, a place for the length, and the size of the buffer.
///
/// # Safety
/// `buffer` is null or has room for the output, which is at most `size` bytes; `len` is null or
/// points to a `size_t`. They do not overlap, and nothing else uses them during the call.
pub unsafe fn output(
    _: &Call,
    buffer: *mut c_uchar,
    len: *mut usize,
    size: usize,
) -> Option<Output<'_>> {
    // SAFETY: guaranteed by the caller.
    unsafe { Output::new(buffer, len, size) }
}

/// `Params`: a parameter array to read; null is an empty array.
///
/// # Safety
/// As for [`Params::from_ptr`], during the call.
pub unsafe fn params(_: &Call, first: *const Param) -> Params<'_> {
    // SAFETY: guaranteed by the caller.
    unsafe { Params::from_ptr(first) }
}

/// `Answers`: a parameter array to fill in; null is an empty array.
///
/// # Safety
/// As for [`Answers::from_ptr`], during the call.
pub unsafe fn answers(_: &Call, first: *mut Param) -> Answers<'_> {
    // SAFETY: guaranteed by the caller.
    unsafe { Answers::from_ptr(first) }
}

/// A place for a result.
pub struct Place<'call, T>(NonNull<T>, PhantomData<&'call mut T>);

impl<T: Copy> Place<'_, T> {
    /// Stores the result and overwrites what was there before.
    pub fn set(&mut self, answer: T) {
        // SAFETY: guaranteed by the caller of `place`.
        unsafe { self.0.as_ptr().write(answer) };
    }
}

/// `Option<Place<T>>`: a place for a result, which may be uninitialized.
///
/// # Safety
/// `place` is null or has room for a `T` that nothing else uses during the call.
pub unsafe fn place<T>(_: &Call, place: *mut T) -> Option<Place<'_, T>> {
    Some(Place(NonNull::new(place)?, PhantomData))
}

/// `Option<&T>`: another object.
///
/// # Safety
/// `object` is null or points to a live `T` that does not change during the call.
pub unsafe fn object<T>(_: &Call, object: *const c_void) -> Option<&T> {
    // SAFETY: guaranteed by the caller.
    unsafe { object.cast::<T>().as_ref() }
}

/// `Option<Arc<T>>`: a new reference to an object of which C holds one.
///
/// # Safety
/// `object` is null or came from [`Arc::into_raw`], and C keeps its reference during the call.
pub unsafe fn count<T>(_: &Call, object: *mut c_void) -> Option<Arc<T>> {
    // SAFETY: guaranteed by the caller.
    unsafe { c_abi::clone_arc(object) }
}

/// `Bio`: a BIO of the core.
///
/// # Safety
/// `bio` is null or a BIO of this host that is valid during the call.
pub unsafe fn bio<'call>(
    _: &'call Call,
    host: &'call Host,
    bio: *mut CoreBio,
) -> Option<Bio<'call>> {
    // SAFETY: guaranteed by the caller.
    unsafe { host.bio(bio) }
}

/// A callback of the core that receives parameters, and its argument.
#[derive(Clone, Copy)]
pub struct CoreCallback<'call> {
    function: Callback,
    argument: *mut c_void,
    call: PhantomData<&'call Call>,
}

impl CoreCallback<'_> {
    /// Passes parameters to the core. Returns whether the callback succeeded.
    pub fn call(&self, params: Params<'_>) -> bool {
        // SAFETY: guaranteed by the caller of `callback`; the array lives until this returns.
        unsafe { (self.function)(params.as_ptr(), self.argument) == 1 }
    }

    /// The function, to pass on.
    pub fn function(&self) -> Callback {
        self.function
    }

    /// Its argument.
    pub fn argument(&self) -> *mut c_void {
        self.argument
    }
}

/// `Callback`: a function and its argument.
///
/// # Safety
/// `function`, if not null, may be called with `argument` during the call.
pub unsafe fn callback(
    _: &Call,
    function: Option<Callback>,
    argument: *mut c_void,
) -> Option<CoreCallback<'_>> {
    Some(CoreCallback { function: function?, argument, call: PhantomData })
}

/// The core's passphrase callback.
#[derive(Clone, Copy)]
pub struct CorePassphrase<'call> {
    function: Option<PassphraseCallback>,
    argument: *mut c_void,
    call: PhantomData<&'call Call>,
}

impl CorePassphrase<'_> {
    /// Requests the passphrase and returns its length. `None` if there is none or it does not fit.
    pub fn ask(&self, room: &mut [u8]) -> Option<usize> {
        let mut len = 0;
        let data = room.as_mut_ptr().cast::<c_char>();
        // SAFETY: guaranteed by the caller of `passphrase`; the buffer has the stated size.
        let given: c_int =
            unsafe { (self.function?)(data, room.len(), &mut len, ptr::null(), self.argument) };
        (given == 1 && len <= room.len()).then_some(len)
    }
}

/// `Passphrase`: a function, which may be null, and its argument.
///
/// # Safety
/// As for [`callback`].
pub unsafe fn passphrase(
    _: &Call,
    function: Option<PassphraseCallback>,
    argument: *mut c_void,
) -> CorePassphrase<'_> {
    CorePassphrase { function, argument, call: PhantomData }
}
