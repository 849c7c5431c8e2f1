//! Arguments from the caller: bytes, strings, output buffers.

use std::ffi::c_char;

use c_abi::Output;

use crate::last_error::{Failed, invalid_argument};

/// Bytes from the caller.
///
/// # Safety
/// `data` is null or points to `len` readable bytes that do not change during `'a`.
pub(crate) unsafe fn bytes<'a>(data: *const u8, len: usize) -> Result<&'a [u8], Failed> {
    // SAFETY: guaranteed by the caller.
    unsafe { c_abi::bytes(data, len) }
        .ok_or_else(|| invalid_argument("the pointer to the data is null"))
}

/// A UTF-8 string from the caller.
///
/// # Safety
/// `text` is null or a C string that does not change during `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char) -> Result<&'a str, Failed> {
    // SAFETY: guaranteed by the caller.
    unsafe { c_abi::text(text) }.ok_or_else(|| invalid_argument("a string is null or not UTF-8"))
}

/// An object that was passed to the caller with [`Box::into_raw`].
///
/// # Safety
/// `object` is null or points to a live `O` that does not change during `'a`.
pub(crate) unsafe fn object<'a, O>(object: *const O) -> Result<&'a O, Failed> {
    // SAFETY: guaranteed by the caller.
    unsafe { object.as_ref() }.ok_or_else(|| invalid_argument("the pointer to an object is null"))
}

/// Creates an object and stores it at `place`, which is null on failure.
///
/// # Safety
/// `place` is null or has room for a pointer.
pub(crate) unsafe fn hand_over<O>(
    place: *mut *mut O,
    make: impl FnOnce() -> Result<O, Failed>,
) -> Result<(), Failed> {
    // SAFETY: guaranteed by the caller.
    let place = unsafe { place.as_mut() }
        .ok_or_else(|| invalid_argument("the pointer to the result is null"))?;
    *place = std::ptr::null_mut();
    *place = Box::into_raw(Box::new(make()?));
    Ok(())
}

/// The caller's output buffer.
pub(crate) struct Room<'a>(Output<'a>);

impl<'a> Room<'a> {
    /// # Safety
    /// `buffer` is null or has room for the output, which is at most `*len` bytes; `len` is null or
    /// points to a `size_t`. Both are valid during `'a` and do not overlap.
    pub(crate) unsafe fn new(buffer: *mut u8, len: *mut usize) -> Result<Self, Failed> {
        // SAFETY: guaranteed by the caller.
        let size = unsafe { len.as_ref() }.copied();
        // SAFETY: the same.
        let output = size.and_then(|size| unsafe { Output::new(buffer, len, size) });
        output.map(Self).ok_or_else(|| invalid_argument("the pointer to the length is null"))
    }

    /// Returns the buffer if it has room for `most` bytes, or `None` if the caller only asks for
    /// that size.
    pub(crate) fn for_up_to(self, most: usize) -> Result<Option<Self>, Failed> {
        match self.0.room() {
            None => {
                self.0.answer_len(most);
                Ok(None)
            }
            Some(room) if room < most => {
                self.0.answer_len(most);
                Err(invalid_argument(&format!(
                    "the buffer has {room} bytes; up to {most} may be needed"
                )))
            }
            Some(_) => Ok(Some(self)),
        }
    }

    /// Writes an output whose length is known.
    pub(crate) fn put(self, data: &[u8]) -> Result<(), Failed> {
        let Some(Self(output)) = self.for_up_to(data.len())? else { return Ok(()) };
        if output.write(data) { Ok(()) } else { Err(invalid_argument("the buffer is too small")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(buffer: Option<&mut [u8]>, len: &mut usize, data: &[u8]) -> bool {
        let buffer = buffer.map_or(std::ptr::null_mut(), <[u8]>::as_mut_ptr);
        // SAFETY: the buffer has the size in `len`.
        unsafe { Room::new(buffer, len) }.and_then(|room| room.put(data)).is_ok()
    }

    #[test]
    fn the_length_is_told_and_nothing_written_without_room() {
        let mut len = 0;
        assert!(room(None, &mut len, b"abc"));
        assert_eq!(len, 3);
        let (mut small, mut len) = ([0; 2], 2);
        assert!(!room(Some(&mut small), &mut len, b"abc"));
        assert_eq!((small, len), ([0; 2], 3));
        let (mut large, mut len) = ([9; 5], 5);
        assert!(room(Some(&mut large), &mut len, b"abc"));
        assert_eq!((&large, len), (b"abc\x09\x09", 3));
        // SAFETY: null is allowed.
        assert!(unsafe { Room::new(large.as_mut_ptr(), std::ptr::null_mut()) }.is_err());
    }
}
