//! Passing objects, bytes and strings between C and Rust.

use std::ffi::{c_char, c_void};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;

use crate::guard::enter;

/// Frees an object that was passed to C with [`Box::into_raw`].
///
/// # Safety
/// `object` is null or such a pointer, and is not used again.
pub unsafe fn free_box<O>(object: *mut c_void) {
    if !object.is_null() {
        // SAFETY: guaranteed by the caller.
        let object = unsafe { Box::from_raw(object.cast::<O>()) };
        let _ = enter(|| catch_unwind(AssertUnwindSafe(|| drop(object))));
    }
}

/// Drops a reference count that was passed to C with [`Arc::into_raw`].
///
/// # Safety
/// `object` is null or such a pointer, and its owner does not use it again.
pub unsafe fn free_arc<O>(object: *mut c_void) {
    if !object.is_null() {
        // SAFETY: guaranteed by the caller.
        let object = unsafe { Arc::from_raw(object.cast::<O>()) };
        let _ = enter(|| catch_unwind(AssertUnwindSafe(|| drop(object))));
    }
}

/// Takes a new reference to an object that was passed to C with [`Arc::into_raw`].
///
/// # Safety
/// `object` is null or such a pointer, and its owner keeps its reference during the call.
pub unsafe fn clone_arc<O>(object: *const c_void) -> Option<Arc<O>> {
    let object = object.cast::<O>();
    if object.is_null() {
        return None;
    }
    // SAFETY: guaranteed by the caller. The count is at least one, and is incremented here.
    unsafe {
        Arc::increment_strong_count(object);
        Some(Arc::from_raw(object))
    }
}

/// Bytes that C passes as a pointer and a length. Null with length 0 is an empty slice. `None` for
/// null with any other length, and for a length that exceeds `isize::MAX`.
///
/// # Safety
/// `data` is null or points to `len` readable bytes that do not change during `'a`.
pub unsafe fn bytes<'a>(data: *const u8, len: usize) -> Option<&'a [u8]> {
    match (data.is_null(), len) {
        (_, 0) => Some(&[]),
        (true, _) => None,
        (false, len) if isize::try_from(len).is_err() => None,
        // SAFETY: guaranteed by the caller.
        (false, _) => Some(unsafe { slice::from_raw_parts(data, len) }),
    }
}

/// A UTF-8 C string; `None` if it is null or not UTF-8.
///
/// # Safety
/// `text` is null or a C string that does not change during `'a`.
pub unsafe fn text<'a>(text: *const c_char) -> Option<&'a str> {
    if text.is_null() {
        return None;
    }
    // SAFETY: guaranteed by the caller.
    unsafe { std::ffi::CStr::from_ptr(text) }.to_str().ok()
}

/// The output parameters of an operation: a buffer, its size, and a place for the length. If the
/// buffer is null, C asks for the length only.
///
/// The buffer is kept as a pointer, not a slice: some C callers pass a size larger than the buffer
/// (such as `SIZE_MAX`), which works in C as long as only the output is written.
pub struct Output<'a> {
    buffer: Option<NonNull<u8>>,
    size: usize,
    len: &'a mut usize,
}

impl<'a> Output<'a> {
    /// The output at `buffer`; `None` if `len` is null.
    ///
    /// # Safety
    /// `buffer` is null or has room for the output, which is at most `size` bytes; `len` is null or
    /// points to a `size_t`. Both are valid during `'a` and do not overlap.
    pub unsafe fn new(buffer: *mut u8, len: *mut usize, size: usize) -> Option<Self> {
        // SAFETY: guaranteed by the caller.
        let len = unsafe { len.as_mut() }?;
        Some(Self { buffer: NonNull::new(buffer), size, len })
    }

    /// The size of the buffer, or `None` if only the length is requested.
    pub fn room(&self) -> Option<usize> {
        self.buffer.map(|_| self.size)
    }

    /// Returns only the length to C.
    pub fn answer_len(self, len: usize) {
        *self.len = len;
    }

    /// Writes the output that `make` returns, of at most `max_len` bytes, by libcrypto's rules:
    /// without a buffer only `max_len` is returned, and a buffer smaller than that is refused
    /// before `make` is called.
    ///
    /// # Errors
    /// Those of `make`; the buffer is too small; the output is longer than `max_len`.
    pub fn produce<T: AsRef<[u8]>, E: From<NoRoom>>(
        self,
        max_len: usize,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<(), E> {
        let Some(room) = self.room() else {
            self.answer_len(max_len);
            return Ok(());
        };
        if room < max_len {
            return Err(NoRoom::For { max_len, room }.into());
        }
        let output = make()?;
        let output = output.as_ref();
        if output.len() <= max_len && self.write(output) {
            Ok(())
        } else {
            Err(NoRoom::TooLong(output.len()).into())
        }
    }

    /// Writes the output. Returns `false` and writes nothing if it does not fit.
    #[must_use]
    pub fn write(self, data: &[u8]) -> bool {
        let Some(buffer) = self.buffer.filter(|_| data.len() <= self.size) else {
            return false;
        };
        // SAFETY: the caller of `new` guarantees room for that many bytes. The data is ours, so it
        // does not overlap the host's buffer.
        unsafe { ptr::copy_nonoverlapping(data.as_ptr(), buffer.as_ptr(), data.len()) };
        *self.len = data.len();
        true
    }
}

/// Why an output was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoom {
    /// It may take `max_len` bytes, but the buffer is smaller.
    For {
        /// The maximum output length.
        max_len: usize,
        /// The size of the buffer.
        room: usize,
    },
    /// It has this many bytes, more than the maximum.
    TooLong(usize),
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::For { max_len, room } => {
                write!(f, "the output takes up to {max_len} bytes, but the buffer has {room}")
            }
            Self::TooLong(len) => write!(f, "the output has {len} bytes, more than the maximum"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_made_when_there_is_room_for_the_longest() {
        let mut made = 0;
        let mut produce = |buffer: Option<&mut [u8; 4]>, size, output: &[u8]| {
            let mut len = usize::MAX;
            let buffer = buffer.map_or(ptr::null_mut(), |buffer| buffer.as_mut_ptr());
            // SAFETY: the buffer, if any, has at least the stated size.
            let out = unsafe { Output::new(buffer, &mut len, size) }.expect("a place");
            let result = out.produce(3, || {
                made += 1;
                Ok::<_, NoRoom>(output.to_vec())
            });
            (result, len)
        };
        let mut buffer = [0_u8; 4];
        assert_eq!(produce(None, 0, &[1]), (Ok(()), 3));
        let small = NoRoom::For { max_len: 3, room: 2 };
        assert_eq!(produce(Some(&mut buffer), 2, &[1]), (Err(small), usize::MAX));
        assert_eq!(produce(Some(&mut buffer), 4, &[1; 4]).0, Err(NoRoom::TooLong(4)));
        assert_eq!(produce(Some(&mut buffer), 3, &[1, 2]), (Ok(()), 2));
        assert_eq!((buffer, made), ([1, 2, 0, 0], 2));
    }

    #[test]
    fn more_room_stated_than_there_is_does_no_harm() {
        let mut buffer = [0_u8; 4];
        let mut len = usize::MAX;
        // SAFETY: the buffer has room for what is written.
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
