//! Descriptors of a library in a process whose host may close them or reuse their numbers.

use std::{
    ffi::c_int,
    mem::MaybeUninit,
    os::{
        fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd},
        unix::process::CommandExt as _,
    },
    process::Command,
    sync::{Mutex, MutexGuard, TryLockError},
};

/// The first number after the standard streams.
const FIRST: RawFd = 3;

/// Distinguishes an open file from others that may get its number later. Files without their own
/// inode (epoll, eventfd) all look the same; see [`EventLoop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    kind: u32,
}

impl Identity {
    /// The identity of the file under this number, if one is open.
    pub fn of(descriptor: RawFd) -> Option<Self> {
        let mut stat = MaybeUninit::<libc::stat>::uninit();
        // SAFETY: the kernel fills the structure if it returns 0; any number is permitted.
        let stat = unsafe {
            if libc::fstat(descriptor, stat.as_mut_ptr()) != 0 {
                return None;
            }
            stat.assume_init()
        };
        // The types differ between platforms.
        #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
        Some(Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            kind: stat.st_mode as u32 & libc::S_IFMT as u32,
        })
    }
}

/// Occupies those of the descriptors 0 to 2 that the host has left closed, until the last
/// `StandardStreams` is dropped. A file opened in the meantime then cannot become the host's
/// standard error. Reads and writes on a placeholder fail as if it were closed.
#[derive(Debug)]
#[must_use = "the numbers are free again when it is dropped"]
pub struct StandardStreams {
    holds: bool,
}

/// The placeholders, and the number of their users.
struct Held {
    process: u32,
    holders: usize,
    places: [Option<(OwnedFd, Identity)>; FIRST as usize],
}

static HELD: Mutex<Held> =
    Mutex::new(Held { process: 0, holders: 0, places: [const { None }; FIRST as usize] });

impl StandardStreams {
    /// Occupies the free numbers. If the system refuses one, it stays free.
    pub fn hold() -> Self {
        // SAFETY: only queries; any number is permitted.
        let taken = |number| unsafe { libc::fcntl(number, libc::F_GETFL) };
        if (0..FIRST).map(taken).all(|flags| flags >= 0 && flags & libc::O_PATH == 0) {
            return Self { holds: false };
        }
        let Some(mut held) = held() else { return Self { holds: false } };
        held.holders += 1;
        held.fill();
        Self { holds: true }
    }
}

impl Drop for StandardStreams {
    fn drop(&mut self) {
        if let Some(mut held) = Some(self.holds).filter(|holds| *holds).and_then(|_| held()) {
            held.holders = held.holders.saturating_sub(1);
            if held.holders == 0 {
                held.release();
            }
        }
    }
}

/// The lock is held during a few system calls. In a child process it may remain locked for ever by
/// a thread of the parent; the child then continues without placeholders.
fn held() -> Option<MutexGuard<'static, Held>> {
    for _ in 0..1_000 {
        match HELD.try_lock() {
            Ok(mut held) => {
                let process = std::process::id();
                if held.process != process {
                    // The previous users were threads of the parent.
                    held.release();
                    (held.process, held.holders) = (process, 0);
                }
                return Some(held);
            }
            Err(TryLockError::Poisoned(error)) => return Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
    None
}

impl Held {
    fn fill(&mut self) {
        // SAFETY: only queries; any number is permitted.
        let is_free = |number: &RawFd| unsafe { libc::fcntl(*number, libc::F_GETFD) } < 0;
        while (0..FIRST).any(|number| is_free(&number)) {
            // SAFETY: the path is a terminated string. The root directory always exists.
            let opened = unsafe { libc::open(c"/".as_ptr(), libc::O_PATH | libc::O_CLOEXEC) };
            if opened < 0 {
                return;
            }
            // SAFETY: it was just opened, and nothing else owns it.
            let opened = unsafe { OwnedFd::from_raw_fd(opened) };
            let place = usize::try_from(opened.as_raw_fd()).ok();
            // Another thread of the host may have taken the number first.
            let Some(place) = place.and_then(|number| self.places.get_mut(number)) else { return };
            let Some(identity) = Identity::of(opened.as_raw_fd()) else { return };
            // The host closed the earlier placeholder, so it must not be closed again.
            std::mem::forget(place.replace((opened, identity)));
        }
    }

    /// The host may have opened its own streams under these numbers in the meantime; those stay
    /// open.
    fn release(&mut self) {
        for (place, identity) in self.places.iter_mut().filter_map(Option::take) {
            // SAFETY: only queries; any number is permitted.
            let flags = unsafe { libc::fcntl(place.as_raw_fd(), libc::F_GETFL) };
            let ours = flags >= 0 && flags & libc::O_PATH != 0;
            if !ours || Identity::of(place.as_raw_fd()) != Some(identity) {
                std::mem::forget(place);
            }
        }
    }
}

/// The descriptors of an event loop (epoll and an eventfd that wakes it) that another library
/// opened and does not expose.
///
/// They are recognized by a marker, a pipe of ours that the loop waits for: an epoll under one of
/// these numbers that has the marker registered is the loop's, and the file that this epoll has
/// registered under the eventfd's number is the eventfd.
#[derive(Debug)]
pub struct EventLoop {
    marker: RawFd,
    epolls: Vec<RawFd>,
    eventfd: RawFd,
}

/// The token with which the loop's own waker is registered: its event only wakes the loop.
const WAKER: u64 = 0;

impl EventLoop {
    /// Finds the loop that has registered only its waker and `marker`, which must never become
    /// ready. A loop has `epolls` numbers of the same epoll.
    pub fn find(marker: RawFd, epolls: usize) -> Option<Self> {
        let numbers = || (FIRST..most_descriptors()).filter(|number| *number != marker);
        // The marker is not registered with other epolls.
        let marked = |epoll: &RawFd| control(*epoll, libc::EPOLL_CTL_MOD, marker, 0).is_ok();
        let epolls: Vec<_> = numbers().filter(marked).take(epolls).collect();
        let first = *epolls.first()?;
        let events = (libc::EPOLLIN | libc::EPOLLET) as u32;
        let wakes = |waker: &RawFd| control(first, libc::EPOLL_CTL_MOD, *waker, events).is_ok();
        let eventfd = numbers().find(wakes)?;
        Some(Self { marker, epolls, eventfd })
    }

    /// Whether all descriptors are still the loop's.
    pub fn is_intact(&self) -> bool {
        self.can_wait() && self.epolls.first().is_some_and(|epoll| self.has_waker(*epoll))
    }

    /// Whether the loop can still wait on the epoll. An epoll identifies files by number and
    /// identity, so this also covers the marker.
    pub fn can_wait(&self) -> bool {
        let knows = |epoll: &RawFd| control(*epoll, libc::EPOLL_CTL_MOD, self.marker, 0).is_ok();
        self.epolls.iter().all(knows)
    }

    /// Adding an entry that exists changes nothing.
    fn has_waker(&self, epoll: RawFd) -> bool {
        match control(epoll, libc::EPOLL_CTL_ADD, self.eventfd, 0) {
            Err(libc::EEXIST) => true,
            Err(_) => false,
            Ok(()) => {
                // The epoll is ours, but the file is not: undo the registration.
                let _ = control(epoll, libc::EPOLL_CTL_DEL, self.eventfd, 0);
                false
            }
        }
    }
}

fn control(epoll: RawFd, what: c_int, descriptor: RawFd, events: u32) -> Result<(), c_int> {
    let mut event = libc::epoll_event { events, u64: WAKER };
    // SAFETY: the event is only read; any numbers are permitted.
    match unsafe { libc::epoll_ctl(epoll, what, descriptor, &raw mut event) } {
        0 => Ok(()),
        // SAFETY: libc's location of this thread's error.
        _ => Err(unsafe { *libc::__errno_location() }),
    }
}

/// One more than the highest number that a descriptor can have.
fn most_descriptors() -> RawFd {
    // SAFETY: the function has no preconditions.
    let most = unsafe { libc::sysconf(libc::_SC_OPEN_MAX) };
    RawFd::try_from(most).unwrap_or(RawFd::MAX).clamp(1024, 1 << 20)
}

/// Makes a program inherit only its standard streams, even if the host has open descriptors without
/// close-on-exec.
pub fn inherit_only_standard_streams(command: &mut Command) {
    let most = most_descriptors();
    let close_on_exec = move || {
        let (first, last) = (FIRST as libc::c_uint, libc::c_uint::MAX);
        // SAFETY: sets a flag on descriptors of the child. Rust's own pipe to its parent has it.
        let marked =
            unsafe { libc::syscall(libc::SYS_close_range, first, last, libc::CLOSE_RANGE_CLOEXEC) };
        if marked != 0 {
            // Before Linux 5.11.
            for number in FIRST..most {
                // SAFETY: as above; numbers that are not open are refused.
                unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
            }
        }
        Ok(())
    };
    // SAFETY: the child only makes system calls, which a child of a threaded process may.
    unsafe { command.pre_exec(close_on_exec) };
}

#[cfg(test)]
mod tests {
    use std::{fs::File, os::fd::IntoRawFd as _};

    use super::*;

    /// A loop like mio's: an epoll under two numbers, and a waker.
    struct Loop {
        epoll: OwnedFd,
        second: OwnedFd,
        eventfd: OwnedFd,
        marker: (std::io::PipeReader, std::io::PipeWriter),
    }

    fn owned(descriptor: c_int) -> OwnedFd {
        assert!(descriptor >= 0);
        // SAFETY: opened by the caller, for this.
        unsafe { OwnedFd::from_raw_fd(descriptor) }
    }

    impl Loop {
        fn new() -> Self {
            // SAFETY: no preconditions.
            let epoll = owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) });
            // SAFETY: no preconditions.
            let eventfd = owned(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) });
            let second = epoll.try_clone().unwrap();
            let marker = std::io::pipe().unwrap();
            let add = |descriptor, events| {
                control(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, descriptor, events).unwrap();
            };
            add(eventfd.as_raw_fd(), (libc::EPOLLIN | libc::EPOLLET) as u32);
            add(marker.0.as_raw_fd(), 0);
            Self { epoll, second, eventfd, marker }
        }

        fn find(&self) -> EventLoop {
            let found = EventLoop::find(self.marker.0.as_raw_fd(), 2).unwrap();
            let mut numbers = [self.epoll.as_raw_fd(), self.second.as_raw_fd()];
            numbers.sort_unstable();
            assert_eq!(found.epolls, numbers);
            assert_eq!(found.eventfd, self.eventfd.as_raw_fd());
            assert!(found.is_intact());
            found
        }
    }

    /// Puts another file under a number, like a host that reuses it.
    fn replace(descriptor: &OwnedFd, other: &OwnedFd) {
        // SAFETY: only the test uses the two.
        assert!(unsafe { libc::dup2(other.as_raw_fd(), descriptor.as_raw_fd()) } >= 0);
    }

    #[test]
    fn each_descriptor_of_a_loop_is_told_from_another_loops() {
        let other = Loop::new();
        let _other_marker = other.find();
        let file = OwnedFd::from(File::open("/dev/null").unwrap());
        for strangers in [[&other.epoll, &other.second, &other.eventfd], [&file; 3]] {
            for place in 0..3 {
                let ours = Loop::new();
                let found = ours.find();
                let places = [&ours.epoll, &ours.second, &ours.eventfd];
                replace(places[place], strangers[place]);
                assert!(!found.is_intact(), "{place}");
            }
            let ours = Loop::new();
            let found = ours.find();
            replace(&OwnedFd::from(ours.marker.0.try_clone().unwrap()), strangers[0]);
            assert!(found.is_intact(), "another number of the marker is not its own");
        }
        // The attempts on the other loop left it unchanged.
        assert!(other.find().is_intact());
    }

    #[test]
    fn a_marker_that_is_gone_is_noticed() {
        let ours = Loop::new();
        let found = ours.find();
        let number = ours.marker.0.into_raw_fd();
        drop(owned(number));
        assert!(!found.can_wait() && !found.is_intact());
    }

    #[test]
    fn a_program_inherits_its_standard_streams_only() {
        let open = File::open("/dev/null").unwrap();
        // SAFETY: clears the flag of the test's own file.
        assert_eq!(unsafe { libc::fcntl(open.as_raw_fd(), libc::F_SETFD, 0) }, 0);
        let mut command = Command::new("/bin/sh");
        let number = open.as_raw_fd();
        command.args(["-c", &format!("test ! -e /proc/self/fd/{number}")]);
        assert!(!command.status().unwrap().success());
        inherit_only_standard_streams(&mut command);
        assert!(command.status().unwrap().success());
    }
}
