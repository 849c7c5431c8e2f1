//! Objects, bytes and texts on their way between C and Rust.

use std::ffi::{c_char, c_void};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;

use crate::guard::enter;

/// Frees an object that [`Box::into_raw`] gave to C.
///
/// # Safety
/// `object` is null or such a pointer, and nobody uses it any more.
pub unsafe fn free_box<O>(object: *mut c_void) {
    if !object.is_null() {
        // SAFETY: vouched for by the caller.
        let object = unsafe { Box::from_raw(object.cast::<O>()) };
        let _ = enter(|| catch_unwind(AssertUnwindSafe(|| drop(object))));
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
        let _ = enter(|| catch_unwind(AssertUnwindSafe(|| drop(object))));
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

    /// Makes the output, which has at most `max_len` bytes, and writes it, by libcrypto's rules:
    /// without a buffer only `max_len` is answered, and room for less is refused before anything is
    /// made.
    ///
    /// # Errors
    /// Those of `make`; there is too little room; the output is longer than it may be.
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

/// Why an output was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoom {
    /// It may have `max_len` bytes, and there is room for fewer.
    For {
        /// The longest output.
        max_len: usize,
        /// The buffer's size.
        room: usize,
    },
    /// It has so many bytes, more than it may have.
    TooLong(usize),
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::For { max_len, room } => {
                write!(f, "the output takes up to {max_len} bytes, there is room for {room}")
            }
            Self::TooLong(len) => write!(f, "an output of {len} bytes"),
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
            // SAFETY: the buffer, where there is one, has as many bytes as is stated or more.
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
