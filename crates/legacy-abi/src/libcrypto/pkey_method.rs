//! Copies of libcrypto's own `EVP_PKEY_METHOD`s.

use std::ffi::c_int;

use super::EngineFunctions;
use super::types::PkeyMethod;
use crate::error::{Error, Result};

/// Returns libcrypto's own method for a key type, and a copy of it that is never freed.
///
/// # Safety
/// The functions are libcrypto's.
pub unsafe fn duplicate_method(
    functions: &EngineFunctions,
    nid: c_int,
) -> Result<(*const PkeyMethod, *mut PkeyMethod)> {
    let (mut id, mut flags) = (0, 0);
    // SAFETY: libcrypto's functions with valid arguments.
    unsafe {
        let own = (functions.EVP_PKEY_meth_find)(nid);
        if own.is_null() {
            return Err(Error::libcrypto("EVP_PKEY_meth_find"));
        }
        (functions.EVP_PKEY_meth_get0_info)(&mut id, &mut flags, own);
        let ours = (functions.EVP_PKEY_meth_new)(id, flags);
        if ours.is_null() {
            return Err(Error::libcrypto("EVP_PKEY_meth_new"));
        }
        (functions.EVP_PKEY_meth_copy)(ours, own);
        Ok((own, ours))
    }
}
