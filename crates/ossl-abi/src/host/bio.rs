//! The host's BIOs.

use std::ffi::{c_char, c_int, c_long, c_void};
use std::fmt;
use std::ptr;

use super::Host;
use crate::types::CoreBio;

/// A BIO that could not be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BioError;

impl fmt::Display for BioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("reading from or writing to the host's BIO failed")
    }
}

impl std::error::Error for BioError {}

/// `BIO_C_FILE_SEEK`.
const SEEK: c_int = 128;
/// `BIO_C_FILE_TELL`.
const TELL: c_int = 133;

/// A BIO, borrowed for a call.
pub struct Bio<'a> {
    host: &'a Host,
    bio: *mut CoreBio,
}

impl<'a> Bio<'a> {
    pub(super) fn new(host: &'a Host, bio: *mut CoreBio) -> Option<Self> {
        (!bio.is_null()).then_some(Self { host, bio })
    }

    /// Reads at most the length of `room`. Returns 0 at the end.
    pub fn read(&mut self, room: &mut [u8]) -> usize {
        let Some(read) = self.host.bio_read else {
            return 0;
        };
        let mut len = 0;
        let data = room.as_mut_ptr().cast::<c_void>();
        // SAFETY: the BIO is the core's (see `Host::bio`), and the buffer has the stated size.
        let ok = unsafe { read(self.bio, data, room.len(), &mut len) };
        if ok == 1 { len.min(room.len()) } else { 0 }
    }

    /// Fills `room`; returns `false` if the data ends before.
    pub fn read_exact(&mut self, room: &mut [u8]) -> bool {
        let mut filled = 0;
        while filled < room.len() {
            match self.read(&mut room[filled..]) {
                0 => return false,
                len => filled += len,
            }
        }
        true
    }

    /// Reads up to and including the next line feed, but at most what fits in `room`. `None` at the
    /// end, or if the BIO does not support reading lines.
    pub fn read_line<'b>(&mut self, room: &'b mut [u8]) -> Option<&'b [u8]> {
        let gets = self.host.bio_gets?;
        let size = c_int::try_from(room.len()).unwrap_or(c_int::MAX);
        // SAFETY: the BIO is the core's, and the buffer has at least `size` bytes, which includes
        // the terminator.
        let len = unsafe { gets(self.bio, room.as_mut_ptr().cast::<c_char>(), size) };
        let len = usize::try_from(len).ok().filter(|&len| len > 0)?;
        room.get(..len)
    }

    /// The position, if the BIO has one (`BIO_tell`).
    pub fn tell(&mut self) -> Option<c_long> {
        self.control(TELL, 0).filter(|position| *position >= 0).map(c_long::from)
    }

    /// Goes to a position from [`tell`](Self::tell) (`BIO_seek`); returns `false` on failure.
    pub fn seek(&mut self, position: c_long) -> bool {
        // File BIOs return 0, memory BIOs return the position.
        self.control(SEEK, position).is_some_and(|result| result >= 0)
            && self.tell() == Some(position)
    }

    fn control(&mut self, command: c_int, number: c_long) -> Option<c_int> {
        let control = self.host.bio_ctrl?;
        // SAFETY: the BIO is the core's, and neither command uses the pointer.
        Some(unsafe { control(self.bio, command, number, ptr::null_mut()) })
    }

    /// Writes everything.
    ///
    /// # Errors
    /// The write failed.
    pub fn write_all(&mut self, mut data: &[u8]) -> Result<(), BioError> {
        let write = self.host.bio_write.ok_or(BioError)?;
        while !data.is_empty() {
            let mut written = 0;
            // SAFETY: the BIO is the core's, and the data has the stated length.
            let ok = unsafe {
                write(self.bio, data.as_ptr().cast::<c_void>(), data.len(), &mut written)
            };
            if ok != 1 || written == 0 {
                return Err(BioError);
            }
            data = data.get(written..).ok_or(BioError)?;
        }
        Ok(())
    }
}
