//! Errors, as pushed to the host's error queue.

use std::ffi::CStr;

use akv_core::ErrorKind;
use ossl_abi::entry::NullPointer;
use ossl_abi::guard::NoRoom;
use ossl_abi::host::BioError;
use ossl_abi::params::ParamError;
use ossl_abi::{Failure, Item};

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of a function of the provider.
#[derive(Clone, Debug)]
pub(crate) enum Error {
    /// An expected result, such as "no" or "not ours". Pushes nothing to the queue.
    Silent,
    /// An entry for the queue.
    Raised(ErrorKind, String),
}

/// The reason texts, as returned by `ERR_reason_error_string`.
pub(crate) static REASON_STRINGS: [Item; ErrorKind::ALL.len() + 1] = {
    let mut items = [Item::END; ErrorKind::ALL.len() + 1];
    let mut at = 0;
    while at < ErrorKind::ALL.len() {
        let kind = ErrorKind::ALL[at];
        items[at] = Item::new(kind.number(), kind.summary());
        at += 1;
    }
    items
};

impl Error {
    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self::Raised(ErrorKind::Argument, message.into())
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::Raised(ErrorKind::Unsupported, message.into())
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::Raised(ErrorKind::Internal, message.into())
    }

    /// Prefixes the message with the name of a parameter.
    pub(crate) fn about(self, name: &CStr) -> Self {
        match self {
            Self::Silent => Self::Silent,
            Self::Raised(reason, message) => {
                Self::Raised(reason, format!("{}: {message}", name.to_string_lossy()))
            }
        }
    }

    /// Appends advice to the message.
    pub(crate) fn add(&mut self, advice: &str) {
        if let Self::Raised(_, message) = self {
            message.push_str("; ");
            message.push_str(advice);
        }
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
        Self::Raised(error.kind(), error.to_string())
    }
}

impl From<legacy_abi::Error> for Error {
    fn from(error: legacy_abi::Error) -> Self {
        Self::Raised(error.kind(), error.message().to_owned())
    }
}

impl From<ParamError> for Error {
    fn from(error: ParamError) -> Self {
        Self::argument(error.to_string())
    }
}

impl From<BioError> for Error {
    fn from(error: BioError) -> Self {
        Self::internal(error.to_string())
    }
}

impl Failure for Error {
    fn entry(&self) -> Option<(u32, String)> {
        match self {
            Self::Silent => None,
            Self::Raised(reason, message) => Some((reason.number(), message.clone())),
        }
    }

    fn bug(message: String) -> Self {
        Self::internal(message)
    }
}
