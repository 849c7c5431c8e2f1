//! Errors of commands, and their exit codes. `docs/cli.md` lists them for users.

use std::{
    fmt,
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

use akv_core::{Error, ErrorKind};
use serde_json::json;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The library's or the service's error.
    Core(Error),
    /// An invalid argument.
    Usage(String),
    /// A failure of a file or of the operating system.
    System(String),
    /// A negative result, which was printed: an invalid signature, a diagnosis with a cause.
    No,
    /// Standard output was closed.
    ClosedPipe,
    /// Ctrl-C was pressed, and the results so far have been printed.
    Interrupted,
}

/// A result of a command.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failed operation on a file.
    pub(crate) fn file(verb: &str, path: &Path, error: &io::Error) -> Self {
        Self::System(format!("cannot {verb} {}: {error}", path.display()))
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::No => 1,
            Self::Usage(_) => 2,
            Self::System(_) => 3,
            Self::ClosedPipe => 141,
            Self::Interrupted => 130,
            Self::Core(error) if error.may_have_happened() => 8,
            Self::Core(error) => code_of(error),
        }
    }

    /// Prints the error on standard error, and returns the exit code.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        let code = self.code();
        let silent = matches!(self, Self::No | Self::ClosedPipe);
        let mut stderr = anstream::stderr().lock();
        // A failure here cannot be reported.
        let _ = match (silent, json) {
            (true, _) => Ok(()),
            (false, true) => writeln!(stderr, "{}", self.to_json()),
            (false, false) => {
                let red = anstyle::AnsiColor::Red.on_default() | anstyle::Effects::BOLD;
                writeln!(stderr, "{red}akv:{red:#} {self}")
            }
        };
        ExitCode::from(code)
    }

    fn to_json(&self) -> serde_json::Value {
        let mut object = json!({ "message": self.to_string(), "exitCode": self.code() });
        if let Self::Core(error) = self {
            object["kind"] = json!(error.kind().summary().to_string_lossy());
            object["status"] = json!(error.status());
            object["code"] = json!(error.code());
            object["requestId"] = json!(error.request_id());
            object["mayHaveHappened"] = json!(error.may_have_happened());
        }
        json!({ "error": object })
    }
}

fn code_of(error: &Error) -> u8 {
    match (error.kind(), error.status()) {
        (ErrorKind::Signature, _) => 1,
        (_, Some(404)) => 6,
        (ErrorKind::Credential, _) | (_, Some(401)) => 4,
        (ErrorKind::Service, _) => 5,
        (
            ErrorKind::Reference
            | ErrorKind::Settings
            | ErrorKind::KeyFile
            | ErrorKind::Argument
            | ErrorKind::Unsupported
            | ErrorKind::NotAllowed,
            _,
        ) => 2,
        (ErrorKind::Network | ErrorKind::Tls | ErrorKind::Timeout | ErrorKind::Response, _) => 7,
        _ => 70,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Core(error) => error.fmt(f),
            Self::Usage(text) | Self::System(text) => f.write_str(text),
            Self::No => f.write_str("no"),
            Self::ClosedPipe => f.write_str("standard output was closed"),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

/// For standard output; files use [`Failure::file`].
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::System(format!("cannot write to standard output: {error}")),
        }
    }
}
