//! The same algorithms with the property `fips=yes`; see [`crate::fips`].

use std::ffi::CString;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use ossl_abi::types::Algorithm;

use super::algorithms;
use crate::fips::PROPERTY;

/// Lists of algorithms, each with its replacement.
type Tables = Vec<(&'static [Algorithm], &'static [Algorithm])>;

/// The replacement for a list.
pub(super) fn of(list: &'static [Algorithm]) -> &'static [Algorithm] {
    let found = tables().iter().find(|(usual, _)| ptr::eq(usual.as_ptr(), list.as_ptr()));
    found.map_or(&[], |(_, declared)| declared)
}

/// The lists are created once in a process, since libcrypto keeps pointers into them. No lock is
/// used: a fork could leave it held.
fn tables() -> &'static Tables {
    static TABLES: AtomicPtr<Tables> = AtomicPtr::new(ptr::null_mut());
    let known = TABLES.load(Ordering::Acquire);
    // SAFETY: it was leaked below.
    if let Some(tables) = unsafe { known.as_ref() } {
        return tables;
    }
    let new = Box::into_raw(Box::new(make()));
    let order = (Ordering::AcqRel, Ordering::Acquire);
    match TABLES.compare_exchange(ptr::null_mut(), new, order.0, order.1) {
        // SAFETY: it is never freed.
        Ok(_) => unsafe { &*new },
        // Another thread was faster; the lists created here stay unused.
        // SAFETY: as above.
        Err(other) => unsafe { &*other },
    }
}

fn make() -> Tables {
    algorithms::all().into_iter().map(|list| (list, with_property(list))).collect()
}

/// The same algorithms with the property added.
fn with_property(list: &[Algorithm]) -> &'static [Algorithm] {
    let declare = |algorithm: &Algorithm| {
        if algorithm.is_end() {
            return Algorithm::END;
        }
        let parts = [algorithm.properties().to_bytes(), b",", PROPERTY.to_bytes()];
        let properties = CString::new(parts.concat()).unwrap_or_default().into_boxed_c_str();
        algorithm.with_properties(Box::leak(properties))
    };
    list.iter().map(declare).collect::<Vec<_>>().leak()
}
