//! libcrypto's importers for old structures, told apart by their addresses.

use crate::key_type::KeyType;
use std::sync::atomic::AtomicUsize;

/// Nobody has asked yet.
pub(crate) const UNKNOWN: usize = 0;
/// There is none that could be used.
pub(crate) const NONE: usize = 1;

/// The addresses of libcrypto's importers, found when they are first needed. No lock is held
/// meanwhile: threads that come at the same time all find the same.
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
