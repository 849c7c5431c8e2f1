//! The parts of a key that a function handles.

use ossl_abi::constants::{
    SELECT_DOMAIN_PARAMETERS, SELECT_OTHER_PARAMETERS, SELECT_PRIVATE_KEY, SELECT_PUBLIC_KEY,
};
use std::ffi::c_int;

/// The parts of a key that a function handles (`OSSL_KEYMGMT_SELECT_…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Selection(c_int);

impl From<c_int> for Selection {
    fn from(raw: c_int) -> Self {
        Self(raw)
    }
}

impl Selection {
    const PRIVATE: c_int = SELECT_PRIVATE_KEY;
    const PUBLIC: c_int = SELECT_PUBLIC_KEY;
    const DOMAIN: c_int = SELECT_DOMAIN_PARAMETERS;
    /// Other parameters, which belong to the domain.
    const OTHER: c_int = SELECT_OTHER_PARAMETERS;

    /// All public parts.
    pub(crate) const PUBLIC_PARTS: Self = Self(Self::PUBLIC | Self::DOMAIN | Self::OTHER);

    /// The public half and its parameters.
    pub(crate) const fn public_half() -> Self {
        Self(Self::PUBLIC).with_needed()
    }

    pub(crate) const fn raw(self) -> c_int {
        self.0
    }

    /// The selected parts that exist, and their parameters.
    pub(crate) const fn within(self, public: bool, private: bool) -> Self {
        let there = if public { Self::PUBLIC } else { 0 } | if private { Self::PRIVATE } else { 0 };
        Self(self.0 & there | Self::DOMAIN).with_needed()
    }

    /// Adjusts a selection for libcrypto: 3.0.2 exports other parameters only with a key, and no
    /// key without them.
    pub(crate) const fn with_needed(self) -> Self {
        if self.key_pair() {
            Self(self.0 | Self::DOMAIN | Self::OTHER)
        } else {
            Self(self.0 & !Self::OTHER)
        }
    }

    pub(crate) const fn private(self) -> bool {
        self.0 & Self::PRIVATE != 0
    }

    pub(crate) const fn public(self) -> bool {
        self.0 & Self::PUBLIC != 0
    }

    pub(crate) const fn domain(self) -> bool {
        self.0 & Self::DOMAIN != 0
    }

    pub(crate) const fn key_pair(self) -> bool {
        self.private() || self.public()
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}
