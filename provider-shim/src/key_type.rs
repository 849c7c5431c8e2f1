//! The types of key pairs, and the names of their algorithms.

use std::ffi::CStr;

use akv_core::PublicKey;

use crate::error::{Error, Result};

/// RSA signatures and RSA encryption. The names are the usual ones, for the reason given in
/// [`crate::signature`].
pub(crate) const RSA: &CStr = c"RSA";
/// ECDSA signatures.
pub(crate) const ECDSA: &CStr = c"ECDSA";

/// The two key types, each with its own key management.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyType {
    Rsa,
    Ec,
}

impl KeyType {
    /// # Errors
    /// Keys of this type have no key management yet.
    pub(crate) fn of(key: &PublicKey) -> Result<Self> {
        match key {
            PublicKey::Rsa(_) => Ok(Self::Rsa),
            PublicKey::Ec(_) => Ok(Self::Ec),
            _ => Err(Error::unsupported("akv_provider supports RSA and EC key pairs only")),
        }
    }

    /// OpenSSL's name.
    pub(crate) fn name(self) -> &'static str {
        self.c_name().to_str().expect("names are ASCII")
    }

    /// OpenSSL's name as a C string.
    pub(crate) fn c_name(self) -> &'static CStr {
        match self {
            Self::Rsa => c"RSA",
            Self::Ec => c"EC",
        }
    }
}
