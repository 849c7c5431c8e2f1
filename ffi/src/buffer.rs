//! What the caller gives and takes: bytes, texts, room for an output.

use crate::last_error::{Failed, wrong};
use c_abi::Output;
use std::ffi::c_char;

/// Bytes of the caller.
///
/// # Safety
/// `data` is null or leads to `len` readable bytes that stay as they are for `'a`.
pub(crate) unsafe fn bytes<'a>(data: *const u8, len: usize) -> Result<&'a [u8], Failed> {
    // SAFETY: vouched for by the caller.
    unsafe { c_abi::bytes(data, len) }.ok_or_else(|| wrong("a null pointer to bytes"))
}

/// A text of the caller.
///
/// # Safety
/// `text` is null or a C string that stays as it is for `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char) -> Result<&'a str, Failed> {
    // SAFETY: vouched for by the caller.
    unsafe { c_abi::text(text) }.ok_or_else(|| wrong("a null pointer, or a text that is not UTF-8"))
}

/// An object that [`Box::into_raw`] gave to the caller.
///
/// # Safety
/// `object` is null or leads to a live `O` that nobody changes for `'a`.
pub(crate) unsafe fn object<'a, O>(object: *const O) -> Result<&'a O, Failed> {
    // SAFETY: vouched for by the caller.
    unsafe { object.as_ref() }.ok_or_else(|| wrong("a null pointer to an object"))
}

/// Puts a new object where the caller wants it.
///
/// # Safety
/// `place` is null or leads to room for a pointer.
pub(crate) unsafe fn hand_over<O>(
    place: *mut *mut O,
    make: impl FnOnce() -> Result<O, Failed>,
) -> Result<(), Failed> {
    // SAFETY: vouched for by the caller.
    let place = unsafe { place.as_mut() }.ok_or_else(|| wrong("no place for the result"))?;
    *place = std::ptr::null_mut();
    *place = Box::into_raw(Box::new(make()?));
    Ok(())
}

/// Where the caller wants an output.
pub(crate) struct Room<'a>(Output<'a>);

impl<'a> Room<'a> {
    /// # Safety
    /// `buffer` is null or leads to room for the output, of which there are at most `*len` bytes;
    /// `len` is null or leads to a `size_t`; both for `'a` and not overlapping.
    pub(crate) unsafe fn new(buffer: *mut u8, len: *mut usize) -> Result<Self, Failed> {
        // SAFETY: vouched for by the caller.
        let size = unsafe { len.as_ref() }.copied();
        // SAFETY: the same.
        let output = size.and_then(|size| unsafe { Output::new(buffer, len, size) });
        output.map(Self).ok_or_else(|| wrong("no place for the length"))
    }

    /// The room, when there is enough for `most` bytes; `None` when only that was asked.
    pub(crate) fn for_up_to(self, most: usize) -> Result<Option<Self>, Failed> {
        match self.0.room() {
            None => {
                self.0.answer_len(most);
                Ok(None)
            }
            Some(room) if room < most => {
                self.0.answer_len(most);
                Err(wrong(&format!("the buffer has room for {room} bytes; {most} may be needed")))
            }
            Some(_) => Ok(Some(self)),
        }
    }

    /// Writes an output that is at hand.
    pub(crate) fn put(self, data: &[u8]) -> Result<(), Failed> {
        let Some(Self(output)) = self.for_up_to(data.len())? else { return Ok(()) };
        if output.write(data) { Ok(()) } else { Err(wrong("the buffer is too small")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(buffer: Option<&mut [u8]>, len: &mut usize, data: &[u8]) -> bool {
        let buffer = buffer.map_or(std::ptr::null_mut(), <[u8]>::as_mut_ptr);
        // SAFETY: the buffer is as large as `len` says.
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
