//! The parts of a key that a function handles.

use std::ffi::c_int;

use bitflags::bitflags;
use ossl_abi::constants::{
    SELECT_DOMAIN_PARAMETERS, SELECT_OTHER_PARAMETERS, SELECT_PRIVATE_KEY, SELECT_PUBLIC_KEY,
};

bitflags! {
    /// The parts of a key that a function handles (`OSSL_KEYMGMT_SELECT_…`).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Selection: c_int {
        const PRIVATE = SELECT_PRIVATE_KEY;
        const PUBLIC = SELECT_PUBLIC_KEY;
        const DOMAIN = SELECT_DOMAIN_PARAMETERS;
        /// Other parameters, which belong to the domain.
        const OTHER = SELECT_OTHER_PARAMETERS;
        /// All public parts.
        const PUBLIC_PARTS = Self::PUBLIC.bits() | Self::DOMAIN.bits() | Self::OTHER.bits();
        const KEY_PAIR = Self::PRIVATE.bits() | Self::PUBLIC.bits();
        // Selections of later versions of OpenSSL are kept.
        const _ = !0;
    }
}

impl From<c_int> for Selection {
    fn from(raw: c_int) -> Self {
        Self::from_bits_retain(raw)
    }
}

impl Selection {
    /// The public half and its parameters.
    pub(crate) fn public_half() -> Self {
        Self::PUBLIC.with_needed()
    }

    /// The selected parts that exist, and their parameters.
    pub(crate) fn within(self, public: bool, private: bool) -> Self {
        let mut available = Self::empty();
        available.set(Self::PUBLIC, public);
        available.set(Self::PRIVATE, private);
        (self & available | Self::DOMAIN).with_needed()
    }

    /// Adjusts a selection for libcrypto: 3.0.2 exports other parameters only with a key, and no
    /// key without them.
    pub(crate) fn with_needed(self) -> Self {
        match self.key_pair() {
            true => self | Self::DOMAIN | Self::OTHER,
            false => self - Self::OTHER,
        }
    }

    pub(crate) fn private(self) -> bool {
        self.contains(Self::PRIVATE)
    }

    pub(crate) fn public(self) -> bool {
        self.contains(Self::PUBLIC)
    }

    pub(crate) fn domain(self) -> bool {
        self.contains(Self::DOMAIN)
    }

    /// Whether it has either half.
    pub(crate) fn key_pair(self) -> bool {
        self.intersects(Self::KEY_PAIR)
    }
}
