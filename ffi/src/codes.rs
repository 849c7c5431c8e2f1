//! Result codes: the kinds of errors as stable numbers.

use akv_core::ErrorKind;

/// The result of a function: zero, or the kind of error. A number never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
#[non_exhaustive]
pub enum Code {
    /// Success.
    Ok = 0,
    /// The key reference is invalid.
    Reference = 1,
    /// A setting is invalid.
    Settings = 2,
    /// The key file is malformed.
    KeyFile = 3,
    /// An argument is invalid.
    Argument = 4,
    /// The key or the service does not support this.
    Unsupported = 5,
    /// No access token could be obtained.
    Credential = 6,
    /// The service could not be reached.
    Network = 7,
    /// The server's certificate is not trusted.
    Tls = 8,
    /// The operation timed out.
    Timeout = 9,
    /// The service returned an error.
    Service = 10,
    /// Invalid response from the service.
    Response = 11,
    /// The signature is invalid.
    Signature = 12,
    /// An error of the library or the operating system.
    Internal = 13,
    /// The key is not allowed: the setting `allowed-keys` does not list it.
    NotAllowed = 14,
}

impl From<ErrorKind> for Code {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Reference => Self::Reference,
            ErrorKind::Settings => Self::Settings,
            ErrorKind::KeyFile => Self::KeyFile,
            ErrorKind::Argument => Self::Argument,
            ErrorKind::Unsupported => Self::Unsupported,
            ErrorKind::Credential => Self::Credential,
            ErrorKind::Network => Self::Network,
            ErrorKind::Tls => Self::Tls,
            ErrorKind::Timeout => Self::Timeout,
            ErrorKind::Service => Self::Service,
            ErrorKind::Response => Self::Response,
            ErrorKind::Signature => Self::Signature,
            ErrorKind::NotAllowed => Self::NotAllowed,
            _ => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_kinds() {
        for kind in ErrorKind::ALL.iter().copied() {
            assert_eq!(u32::try_from(Code::from(kind) as i32), Ok(kind.number()), "{kind:?}");
        }
    }

    #[test]
    fn a_wrong_reference_has_its_number() {
        let error = "vault:x".parse::<akv_core::KeyReference>().unwrap_err();
        assert_eq!(Code::from(error.kind()) as i32, 1);
    }
}
