//! What each kind of argument of an [`entry!`](crate::entry!) becomes, and what C vouches for with it.
//!
//! Every function here is called by the macro alone, with arguments that C has just passed. Their
//! contracts are those of libcrypto's documentation (provider-keymgmt(7), provider-signature(7), …).

use super::NullPointer;
use crate::host::{Bio, Host};
use crate::params::{Answers, Params};
use crate::types::{Callback, CoreBio, Param, PassphraseCallback};
use c_abi::Output;
use std::ffi::{c_char, c_int, c_uchar, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// One call from C. What C passed is borrowed from it, so that nothing of it is kept.
pub struct Call(());

impl Call {
    /// The call that is being served.
    #[expect(clippy::new_without_default, reason = "the macro alone makes one")]
    pub const fn new() -> Self {
        Self(())
    }
}

/// `Bytes`: data with its length.
///
/// # Safety
/// `data` is null or leads to `len` readable bytes that stay as they are during the call.
pub unsafe fn bytes(_: &Call, data: *const c_uchar, len: usize) -> Option<&[u8]> {
    // SAFETY: vouched for by the caller.
    unsafe { c_abi::bytes(data, len) }
}

/// `Option<Bytes>`: data that null means the absence of.
///
/// # Safety
/// As for [`bytes`].
pub unsafe fn optional_bytes(call: &Call, data: *const c_uchar, len: usize) -> Option<&[u8]> {
    // SAFETY: vouched for by the caller.
    if data.is_null() { None } else { unsafe { bytes(call, data, len) } }
}

/// Data that is not needed when C only asks for the output's length.
#[derive(Clone, Copy)]
pub struct Input<'call> {
    bytes: Option<&'call [u8]>,
    len: usize,
    what: &'static str,
}

impl<'call> Input<'call> {
    /// `Input`: data with its length, looked at when it is needed.
    ///
    /// # Safety
    /// As for [`bytes`].
    pub unsafe fn new(
        call: &'call Call,
        data: *const c_uchar,
        len: usize,
        what: &'static str,
    ) -> Self {
        // SAFETY: vouched for by the caller.
        Self { bytes: unsafe { bytes(call, data, len) }, len, what }
    }

    /// The length, also of data that is not there.
    #[expect(clippy::len_without_is_empty, reason = "of no use before the data is looked at")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The data.
    ///
    /// # Errors
    /// It is not there.
    pub fn bytes(&self) -> Result<&'call [u8], NullPointer> {
        self.bytes.ok_or(NullPointer(self.what))
    }
}

/// `Reference`: the reference to an object, as a callback of ours got it.
///
/// # Safety
/// As for [`bytes`].
pub unsafe fn reference(call: &Call, data: *const c_void, len: usize) -> Option<&[u8]> {
    // SAFETY: vouched for by the caller.
    unsafe { bytes(call, data.cast(), len) }
}

/// `Option<Text>`: a C string; `None` also when it is not UTF-8.
///
/// # Safety
/// `text` is null or a C string that stays as it is during the call.
pub unsafe fn text(_: &Call, text: *const c_char) -> Option<&str> {
    // SAFETY: vouched for by the caller.
    unsafe { c_abi::text(text) }
}

/// `Output`: a buffer, where its length goes, and its size.
///
/// # Safety
/// `buffer` is null or leads to room for the output, of which there are at most `size` bytes; `len` is
/// null or leads to a `size_t`; they do not overlap, and nobody else uses them during the call.
pub unsafe fn output(
    _: &Call,
    buffer: *mut c_uchar,
    len: *mut usize,
    size: usize,
) -> Option<Output<'_>> {
    // SAFETY: vouched for by the caller.
    unsafe { Output::new(buffer, len, size) }
}

/// `Params`: a parameter array to be read; null is an empty one.
///
/// # Safety
/// As for [`Params::from_ptr`], during the call.
pub unsafe fn params(_: &Call, first: *const Param) -> Params<'_> {
    // SAFETY: vouched for by the caller.
    unsafe { Params::from_ptr(first) }
}

/// `Answers`: a parameter array to be answered; null is an empty one.
///
/// # Safety
/// As for [`Answers::from_ptr`], during the call.
pub unsafe fn answers(_: &Call, first: *mut Param) -> Answers<'_> {
    // SAFETY: vouched for by the caller.
    unsafe { Answers::from_ptr(first) }
}

/// Where C wants an answer.
pub struct Place<'call, T>(NonNull<T>, PhantomData<&'call mut T>);

impl<T: Copy> Place<'_, T> {
    /// Puts the answer there, over whatever was there before.
    pub fn set(&mut self, answer: T) {
        // SAFETY: vouched for by the caller of `place`.
        unsafe { self.0.as_ptr().write(answer) };
    }
}

/// `Option<Place<T>>`: a place for an answer, where nothing needs to be yet.
///
/// # Safety
/// `place` is null or leads to room for a `T` that nobody else uses during the call.
pub unsafe fn place<T>(_: &Call, place: *mut T) -> Option<Place<'_, T>> {
    Some(Place(NonNull::new(place)?, PhantomData))
}

/// `Option<&T>`: an object besides the first.
///
/// # Safety
/// `object` is null or leads to a live `T` that nobody changes during the call.
pub unsafe fn object<T>(_: &Call, object: *const c_void) -> Option<&T> {
    // SAFETY: vouched for by the caller.
    unsafe { object.cast::<T>().as_ref() }
}

/// `Option<Arc<T>>`: one more count of an object that C has a count of.
///
/// # Safety
/// `object` is null or came from [`Arc::into_raw`], and C keeps its count during the call.
pub unsafe fn count<T>(_: &Call, object: *mut c_void) -> Option<Arc<T>> {
    // SAFETY: vouched for by the caller.
    unsafe { c_abi::clone_arc(object) }
}

/// `Bio`: a BIO of the core.
///
/// # Safety
/// `bio` is null or a BIO of this host that can be used during the call.
pub unsafe fn bio<'call>(
    _: &'call Call,
    host: &'call Host,
    bio: *mut CoreBio,
) -> Option<Bio<'call>> {
    // SAFETY: vouched for by the caller.
    unsafe { host.bio(bio) }
}

/// Where the core wants parameters to go: a function and its argument.
#[derive(Clone, Copy)]
pub struct CoreCallback<'call> {
    function: Callback,
    argument: *mut c_void,
    call: PhantomData<&'call Call>,
}

impl CoreCallback<'_> {
    /// Gives parameters to the core; whether it took them.
    pub fn call(&self, params: Params<'_>) -> bool {
        // SAFETY: vouched for by the caller of `callback`; the array lives until this returns.
        unsafe { (self.function)(params.as_ptr(), self.argument) == 1 }
    }

    /// The function, for who passes it on.
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
/// `function`, if there is one, may be called with `argument` as long as the call goes on.
pub unsafe fn callback(
    _: &Call,
    function: Option<Callback>,
    argument: *mut c_void,
) -> Option<CoreCallback<'_>> {
    Some(CoreCallback { function: function?, argument, call: PhantomData })
}

/// The core's way of asking for a passphrase.
#[derive(Clone, Copy)]
pub struct CorePassphrase<'call> {
    function: Option<PassphraseCallback>,
    argument: *mut c_void,
    call: PhantomData<&'call Call>,
}

impl CorePassphrase<'_> {
    /// Asks for the passphrase. `None` when there is none, or when it does not fit; else how much of
    /// the room it takes.
    pub fn ask(&self, room: &mut [u8]) -> Option<usize> {
        let mut len = 0;
        let data = room.as_mut_ptr().cast::<c_char>();
        // SAFETY: vouched for by the caller of `passphrase`; there is as much room as it says.
        let given: c_int =
            unsafe { (self.function?)(data, room.len(), &mut len, ptr::null(), self.argument) };
        (given == 1 && len <= room.len()).then_some(len)
    }
}

/// `Passphrase`: a function, if there is one, and its argument.
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
