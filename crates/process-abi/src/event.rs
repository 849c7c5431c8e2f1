//! Descriptors that become readable when something happens (eventfd(2)).

use std::{
    io,
    mem::ManuallyDrop,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd},
};

use crate::descriptor::{Identity, StandardStreams};

/// One descriptor of an eventfd, which is not inherited by programs that the process starts. It is
/// used and closed only while its number still refers to an eventfd: the host may have closed it.
/// What it cannot be told from is another eventfd that the host opened under the same number.
#[derive(Debug)]
pub struct EventDescriptor {
    descriptor: ManuallyDrop<OwnedFd>,
    identity: Identity,
}

impl EventDescriptor {
    /// A new event, which has not happened yet.
    ///
    /// # Errors
    /// The system refuses a descriptor.
    pub fn new() -> io::Result<Self> {
        let _streams = StandardStreams::hold();
        // SAFETY: the call has no preconditions.
        Self::from_new(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })
    }

    /// Another descriptor of the same event.
    ///
    /// # Errors
    /// The system refuses a descriptor.
    pub fn duplicate(&self) -> io::Result<Self> {
        let _streams = StandardStreams::hold();
        // SAFETY: the call only reads the number.
        Self::from_new(unsafe { libc::fcntl(self.number(), libc::F_DUPFD_CLOEXEC, 3) })
    }

    fn from_new(number: RawFd) -> io::Result<Self> {
        if number < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was just opened, and nothing else owns it.
        let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
        let identity = Identity::of(number).ok_or(io::ErrorKind::NotFound)?;
        Ok(Self { descriptor: ManuallyDrop::new(descriptor), identity })
    }

    /// Its number, to poll for reading.
    pub fn number(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }

    /// Makes the descriptors of the event readable. Returns whether this one is still open.
    pub fn signal(&self) -> bool {
        let one = 1_u64;
        // SAFETY: the value is eight bytes long, as an eventfd expects.
        self.is_open()
            && unsafe { libc::write(self.number(), (&raw const one).cast(), size_of::<u64>()) } > 0
    }

    /// Makes the descriptors of the event unreadable again. Returns whether they were readable.
    pub fn reset(&self) -> bool {
        let mut count = 0_u64;
        // SAFETY: there is room for eight bytes, which an eventfd returns.
        self.is_open()
            && unsafe { libc::read(self.number(), (&raw mut count).cast(), size_of::<u64>()) } > 0
    }

    fn is_open(&self) -> bool {
        Identity::of(self.number()) == Some(self.identity)
    }
}

impl Drop for EventDescriptor {
    fn drop(&mut self) {
        if self.is_open() {
            // SAFETY: it is dropped once, here.
            unsafe { ManuallyDrop::drop(&mut self.descriptor) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_seen_by_every_descriptor_of_it() {
        let event = EventDescriptor::new().unwrap();
        let other = event.duplicate().unwrap();
        assert!(event.number() > 2 && other.number() > 2);
        assert!(!event.reset(), "nothing has happened");
        assert!(other.signal() && other.signal());
        assert!(event.reset());
        assert!(!other.reset(), "it was reset");
        drop(event);
        assert!(other.signal());
    }

    #[test]
    fn a_number_that_the_host_reuses_is_neither_written_nor_closed() {
        let event = EventDescriptor::new().unwrap();
        let file = tempfile();
        // SAFETY: a host may do that at any time.
        assert!(unsafe { libc::dup2(file.as_raw_fd(), event.number()) } >= 0);
        let number = event.number();
        assert!(!event.signal() && !event.reset());
        drop(event);
        // SAFETY: the file is still open under that number, and closed once.
        drop(unsafe { OwnedFd::from_raw_fd(number) });
        assert_eq!(std::fs::File::from(file).metadata().unwrap().len(), 0);
    }

    fn tempfile() -> OwnedFd {
        // SAFETY: the name is a C string.
        let number = unsafe { libc::memfd_create(c"file".as_ptr(), libc::MFD_CLOEXEC) };
        assert!(number >= 0);
        // SAFETY: it was just opened, and nothing else owns it.
        unsafe { OwnedFd::from_raw_fd(number) }
    }
}
