//! What hosts find under the property `fips=yes` when the administrator has set `fips = yes`, which
//! declares that the keys are in a validated HSM.
//!
//! The HSM does the work of signing, decryption and wrapping. Verifying, encryption and the hashing of
//! messages would happen here, in no validated module, so another provider of the host is asked for
//! them: its FIPS provider, where it asks for `fips=yes` by default.

use crate::digest::{Digest, Hasher};
use crate::error::{Error, Result};
use crate::{asym_cipher, decoder, encoder, keymgmt, signature, store, symmetric};
use ossl_abi::Host;
use ossl_abi::types::Algorithm;
use std::ffi::{CStr, CString};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// What algorithms of validated modules have.
const PROPERTY: &CStr = c"fips=yes";

/// Lists of algorithms, each with the one that takes its place.
type Tables = Vec<(&'static [Algorithm], &'static [Algorithm])>;

/// The list that takes the place of another one.
pub(crate) fn declared(list: &'static [Algorithm]) -> &'static [Algorithm] {
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
    let lists = [
        keymgmt::ALGORITHMS,
        signature::algorithms(false),
        signature::algorithms(true),
        asym_cipher::ALGORITHMS,
        encoder::ALGORITHMS,
        decoder::ALGORITHMS,
        store::ALGORITHMS,
        symmetric::skeymgmt::ALGORITHMS,
        symmetric::cipher::ALGORITHMS,
    ];
    lists.into_iter().map(|list| (list, with_property(list))).collect()
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

/// Has the host's FIPS provider hash. A host that has none asks for no validated modules.
///
/// # Errors
/// The host's FIPS provider does not compute this digest.
pub(crate) fn hasher(host: &Host, digest: Digest) -> Result<Hasher> {
    if let Some(begun) = host.digest(digest.name(), PROPERTY) {
        return Ok(Hasher::Host(begun));
    }
    if host.digest(Digest::Sha256.name(), PROPERTY).is_none() {
        return Ok(digest.hasher());
    }
    Err(Error::unsupported(format!(
        "with fips = yes the host's FIPS provider computes the digest, and it does not have {}",
        digest.display()
    )))
}
