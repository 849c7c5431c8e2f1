//! The same algorithms under `fips=yes`; see [`crate::fips`].

use super::algorithms;
use crate::fips::PROPERTY;
use ossl_abi::types::Algorithm;
use std::ffi::CString;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Lists of algorithms, each with the one that takes its place.
type Tables = Vec<(&'static [Algorithm], &'static [Algorithm])>;

/// The list that takes the place of another one.
pub(super) fn of(list: &'static [Algorithm]) -> &'static [Algorithm] {
    let found = tables().iter().find(|(usual, _)| ptr::eq(usual.as_ptr(), list.as_ptr()));
    found.map_or(&[], |(_, declared)| declared)
}

/// The lists are made once for a process, since libcrypto keeps pointers into them; without a lock,
/// which a fork might leave locked.
fn tables() -> &'static Tables {
    static TABLES: AtomicPtr<Tables> = AtomicPtr::new(ptr::null_mut());
    let known = TABLES.load(Ordering::Acquire);
    // SAFETY: whatever is there was leaked below.
    if let Some(tables) = unsafe { known.as_ref() } {
        return tables;
    }
    let new = Box::into_raw(Box::new(make()));
    let order = (Ordering::AcqRel, Ordering::Acquire);
    match TABLES.compare_exchange(ptr::null_mut(), new, order.0, order.1) {
        // SAFETY: it stays there for good.
        Ok(_) => unsafe { &*new },
        // Another thread was faster; what was made here stays unused.
        // SAFETY: as above.
        Err(other) => unsafe { &*other },
    }
}

fn make() -> Tables {
    algorithms::all().into_iter().map(|list| (list, with_property(list))).collect()
}

/// The same algorithms with the property.
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
