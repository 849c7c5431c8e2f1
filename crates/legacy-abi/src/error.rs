//! Errors, as pushed to the host's error queue.

use akv_core::ErrorKind;
use ossl_abi::Failure;
use ossl_abi::entry::NullPointer;
use ossl_abi::guard::NoRoom;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error: one entry of the queue.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

impl Error {
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn argument(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Argument, message: message.into() }
    }

    pub fn unsupported(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Unsupported, message: message.into() }
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Internal, message: message.into() }
    }

    /// A function of libcrypto that failed.
    pub fn libcrypto(function: &str) -> Self {
        Self::internal(format!("libcrypto's {function} failed"))
    }
    /// A pointer that must not be null.
    pub fn null(what: &'static str) -> Self {
        NullPointer(what).into()
    }
}

impl From<NullPointer> for Error {
    fn from(error: NullPointer) -> Self {
        Self::argument(error.to_string())
    }
}

impl From<NoRoom> for Error {
    fn from(error: NoRoom) -> Self {
        match error {
            NoRoom::For { .. } => Self::argument(error.to_string()),
            NoRoom::TooLong(_) => Self::internal(error.to_string()),
        }
    }
}

impl From<akv_core::Error> for Error {
    fn from(error: akv_core::Error) -> Self {
        Self { kind: error.kind(), message: error.to_string() }
    }
}

impl Failure for Error {
    fn entry(&self) -> Option<(u32, String)> {
        Some((self.kind.number(), self.message.clone()))
    }

    fn bug(message: String) -> Self {
        Self::internal(message)
    }
}
