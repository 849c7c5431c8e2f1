//! The destination of log lines, in a process whose host may close our descriptor or reuse its
//! number.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    mem::ManuallyDrop,
    os::{
        fd::{AsFd as _, AsRawFd as _},
        unix::fs::OpenOptionsExt as _,
    },
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use process_abi::descriptor::{Identity, StandardStreams};
use tracing_subscriber::fmt::MakeWriter;

use crate::{Error, ErrorKind, Result};

/// A file, or standard error, that is opened again once the host has closed it. Lines are written
/// directly to the descriptor, without a lock that a child of `fork` could inherit.
pub(super) struct Destination {
    source: Source,
    open: ArcSwap<Open>,
}

/// What to open again.
enum Source {
    File(PathBuf),
    /// Standard error, as long as the host has not replaced it.
    StandardError(Identity),
}

/// An open descriptor. It is never closed: its number may by then be the host's.
struct Open {
    file: ManuallyDrop<File>,
    identity: Identity,
}

impl Destination {
    /// Appends to a file. A new file is readable by its owner and group, subject to the umask. An
    /// existing file keeps its mode, which its creator, such as logrotate, chose.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(super) fn file(path: &Path) -> Result<Self> {
        Self::new(Source::File(path.to_owned())).map_err(|error| {
            let text = format!("the log file {path:?} cannot be opened: {error}");
            Error::new(ErrorKind::Settings, text).caused_by(error)
        })
    }

    /// Writes to the current standard error.
    ///
    /// # Errors
    /// There is no standard error.
    pub(super) fn standard_error() -> Result<Self> {
        let identity = Identity::of(io::stderr().as_raw_fd())
            .ok_or_else(|| io::Error::from_raw_os_error(nix::libc::EBADF));
        identity.and_then(|identity| Self::new(Source::StandardError(identity))).map_err(|error| {
            let text = format!("there is no standard error to log to: {error}");
            Error::new(ErrorKind::Settings, text).caused_by(error)
        })
    }

    fn new(source: Source) -> io::Result<Self> {
        let open = ArcSwap::from_pointee(source.open()?);
        Ok(Self { source, open })
    }

    fn write_line(&self, line: &[u8]) -> io::Result<()> {
        let open = self.open.load();
        if open.is_intact() {
            return (&*open.file).write_all(line);
        }
        let open = Arc::new(self.source.open()?);
        self.open.store(Arc::clone(&open));
        (&*open.file).write_all(line)
    }
}

impl Source {
    fn open(&self) -> io::Result<Open> {
        let _streams = StandardStreams::hold();
        let file = match self {
            Self::File(path) => {
                OpenOptions::new().create(true).append(true).mode(0o640).open(path)?
            }
            Self::StandardError(identity) => {
                let stderr = io::stderr();
                if Identity::of(stderr.as_raw_fd()) != Some(*identity) {
                    return Err(io::Error::from_raw_os_error(nix::libc::EBADF));
                }
                File::from(stderr.as_fd().try_clone_to_owned()?)
            }
        };
        let identity = Identity::of(file.as_raw_fd())
            .ok_or_else(|| io::Error::from_raw_os_error(nix::libc::EBADF))?;
        Ok(Open { file: ManuallyDrop::new(file), identity })
    }
}

impl Open {
    fn is_intact(&self) -> bool {
        Identity::of(self.file.as_raw_fd()) == Some(self.identity)
    }
}

/// The writer of one line, which the subscriber writes as a whole.
pub(super) struct Line<'a>(&'a Destination);

impl<'a> MakeWriter<'a> for Destination {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_line(line)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn a_new_log_file_is_not_world_readable() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        let new = folder.path().join("new.log");
        Destination::file(&new).unwrap();
        // The umask of this process may clear more bits.
        assert_eq!(mode(&new) & !0o640, 0, "{:o}", mode(&new));
        let existing = folder.path().join("existing.log");
        fs::write(&existing, "first\n").unwrap();
        fs::set_permissions(&existing, fs::Permissions::from_mode(0o644)).unwrap();
        Destination::file(&existing).unwrap().write_line(b"second\n").unwrap();
        assert_eq!(mode(&existing), 0o644);
        assert_eq!(fs::read(&existing).unwrap(), b"first\nsecond\n", "it is appended to");
    }
}
