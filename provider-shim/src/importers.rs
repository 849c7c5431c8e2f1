//! libcrypto's importers for legacy structures, identified by their addresses.

use std::sync::atomic::AtomicUsize;

use crate::key_type::KeyType;

/// Not determined yet.
pub(crate) const UNKNOWN: usize = 0;
/// There is no usable importer.
pub(crate) const NONE: usize = 1;

/// The addresses of libcrypto's importers, determined on first use. No lock is held: concurrent
/// threads determine the same address.
#[derive(Default)]
pub(crate) struct Importers {
    rsa: AtomicUsize,
    ec: AtomicUsize,
}

impl Importers {
    pub(crate) fn of(&self, kind: KeyType) -> &AtomicUsize {
        match kind {
            KeyType::Rsa => &self.rsa,
            KeyType::Ec => &self.ec,
        }
    }
}
