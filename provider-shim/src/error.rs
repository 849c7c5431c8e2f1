//! Failures, as the host's error queue tells them.

use akv_core::ErrorKind;
use ossl_abi::host::BioError;
use ossl_abi::params::ParamError;
use ossl_abi::{Failure, Item};
use std::ffi::CStr;

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a function of the provider failed.
#[derive(Clone, Debug)]
pub(crate) enum Error {
    /// An answer, not a failure: "no", "not mine". Nothing goes to the queue.
    Silent,
    /// One entry for the queue.
    Raised(Reason, String),
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $text:literal;)*) => {
        /// Reason numbers of the provider's entries in the error queue.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Reason {
            $($(#[$doc])* $name = $id,)*
        }

        /// The reasons' texts, as `ERR_reason_error_string` shows them.
        pub(crate) static REASON_STRINGS: &[Item] =
            &[$(Item::new(Reason::$name as u32, $text),)* Item::END];
    };
}

reasons! {
    Reference = 1, c"invalid key reference";
    Settings = 2, c"invalid setting";
    KeyFile = 3, c"malformed key file";
    Argument = 4, c"invalid argument";
    Unsupported = 5, c"not supported";
    Credential = 6, c"no access token";
    Network = 7, c"service not reachable";
    Tls = 8, c"server not trusted";
    Timeout = 9, c"timeout";
    Service = 10, c"refused by the service";
    Response = 11, c"unintelligible answer of the service";
    Signature = 12, c"bad signature";
    Internal = 13, c"internal error";
}

impl Error {
    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self::Raised(Reason::Argument, message.into())
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::Raised(Reason::Unsupported, message.into())
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::Raised(Reason::Internal, message.into())
    }

    /// The same error, said of the parameter `name`.
    pub(crate) fn about(self, name: &CStr) -> Self {
        match self {
            Self::Silent => Self::Silent,
            Self::Raised(reason, message) => {
                Self::Raised(reason, format!("{}: {message}", name.to_string_lossy()))
            }
        }
    }

    /// Adds what the user should know besides.
    pub(crate) fn add(&mut self, advice: &str) {
        if let Self::Raised(_, message) = self {
            message.push_str("; ");
            message.push_str(advice);
        }
    }

    /// The error for a pointer that must not be null.
    pub(crate) fn null(what: &str) -> Self {
        Self::argument(format!("no {what} given (a null pointer)"))
    }
}

impl From<akv_core::Error> for Error {
    fn from(error: akv_core::Error) -> Self {
        let reason = match error.kind() {
            ErrorKind::Reference => Reason::Reference,
            ErrorKind::Settings => Reason::Settings,
            ErrorKind::KeyFile => Reason::KeyFile,
            ErrorKind::Argument => Reason::Argument,
            ErrorKind::Unsupported => Reason::Unsupported,
            ErrorKind::Credential => Reason::Credential,
            ErrorKind::Network => Reason::Network,
            ErrorKind::Tls => Reason::Tls,
            ErrorKind::Timeout => Reason::Timeout,
            ErrorKind::Service => Reason::Service,
            ErrorKind::Response => Reason::Response,
            ErrorKind::Signature => Reason::Signature,
            _ => Reason::Internal,
        };
        Self::Raised(reason, error.to_string())
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
            Self::Raised(reason, message) => Some((*reason as u32, message.clone())),
        }
    }

    fn bug(message: String) -> Self {
        Self::internal(message)
    }
}
