//! Result codes: the kinds of errors as numbers that stay.

use akv_core::ErrorKind;

/// What a function returns: zero, or the kind of failure. Numbers are never used again for
/// another meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
#[non_exhaustive]
pub enum Code {
    /// It worked.
    Ok = 0,
    /// The key reference is wrong.
    Reference = 1,
    /// A setting is wrong.
    Settings = 2,
    /// The key file is malformed.
    KeyFile = 3,
    /// An argument is wrong.
    Argument = 4,
    /// The key or the service cannot do this.
    Unsupported = 5,
    /// No access token could be had.
    Credential = 6,
    /// The service could not be reached.
    Network = 7,
    /// The server's certificate is not trusted.
    Tls = 8,
    /// The deadline passed.
    Timeout = 9,
    /// The service refused.
    Service = 10,
    /// The service's answer makes no sense.
    Response = 11,
    /// A signature does not verify.
    Signature = 12,
    /// A failure of the library or the operating system.
    Internal = 13,
    /// The settings do not allow it: `allowed-keys` does not list the key.
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
        for kind in ErrorKind::ALL {
            assert_eq!(u32::try_from(Code::from(kind) as i32), Ok(kind.number()), "{kind:?}");
        }
    }

    #[test]
    fn a_wrong_reference_has_its_number() {
        let error = "vault:x".parse::<akv_core::KeyReference>().unwrap_err();
        assert_eq!(Code::from(error.kind()) as i32, 1);
    }
}
