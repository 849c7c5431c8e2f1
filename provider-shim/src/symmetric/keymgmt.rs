//! Symmetric keys as `EVP_PKEY`: libcrypto takes one for a private key without a public half.

use crate::error::{Error, Result};
use crate::handover::{Referred, referred};
use crate::key::{AKV_AES, SymmetricObject};
use crate::selection::Selection;
use akv_core::KeyWrapAlgorithm;
use ossl_abi::functions::{keymgmt as id, operation};
use ossl_abi::guard;
use ossl_abi::names;
use ossl_abi::params::Answers;
use ossl_abi::types::{Algorithm, DataType, Dispatch, Param};
use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::sync::Arc;

pub(crate) const ALGORITHM: Algorithm =
    Algorithm::new(AKV_AES, c"provider=akv_provider", TABLE, c"AES keys in Azure Managed HSM");

static TABLE: &[Dispatch] = &[
    id::LOAD.entry(load),
    id::FREE.entry(free),
    id::DUP.entry(dup),
    id::HAS.entry(has),
    id::MATCH.entry(matches),
    id::GET_PARAMS.entry(get_params),
    id::GETTABLE_PARAMS.entry(gettable_params),
    id::QUERY_OPERATION_NAME.entry(query_operation_name),
    Dispatch::END,
];

unsafe extern "C" fn load(reference: *const c_void, size: usize) -> *mut c_void {
    let body = || {
        // SAFETY: the core passes the bytes that one of our callbacks got.
        match unsafe { guard::bytes(reference.cast(), size) }.and_then(referred) {
            Some(Referred::Symmetric(key)) => Arc::into_raw(key).cast_mut().cast(),
            _ => ptr::null_mut(),
        }
    };
    guard::alone("keymgmt load", ptr::null_mut(), body)
}

unsafe extern "C" fn free(keydata: *mut c_void) {
    // SAFETY: the core gives back an object that one of our functions gave it.
    unsafe { guard::free_arc::<SymmetricObject>(keydata) };
}

/// A duplicate shares everything, since an object never changes. There is no part to duplicate.
unsafe extern "C" fn dup(keydata: *const c_void, selection: c_int) -> *mut c_void {
    let body = |_: &SymmetricObject| -> Result<Arc<SymmetricObject>> {
        if !Selection::from_raw(selection).private() {
            return Err(Error::Silent);
        }
        // SAFETY: the object is one of ours, alive while the core holds it.
        unsafe { guard::clone_arc(keydata) }.ok_or(Error::Silent)
    };
    // SAFETY: the core passes one of our objects.
    unsafe { guard::shared("keymgmt dup", keydata, body) }
}

unsafe extern "C" fn has(keydata: *const c_void, selection: c_int) -> c_int {
    let body = |_: &SymmetricObject| (!Selection::from_raw(selection).public()).into();
    // SAFETY: the core passes one of our objects.
    unsafe { guard::query("keymgmt has", keydata, 0, body) }
}

/// All that is known of a key is which it is.
unsafe extern "C" fn matches(
    keydata1: *const c_void,
    keydata2: *const c_void,
    _selection: c_int,
) -> c_int {
    let body = |first: &SymmetricObject| {
        let second = |second: &SymmetricObject| -> c_int { (first.id() == second.id()).into() };
        // SAFETY: the core passes another of our objects.
        unsafe { guard::query("keymgmt match", keydata2, 0, second) }
    };
    // SAFETY: the core passes one of our objects.
    unsafe { guard::query("keymgmt match", keydata1, 0, body) }
}

/// The service does not tell the number of bits.
unsafe extern "C" fn get_params(keydata: *const c_void, params: *mut Param) -> c_int {
    let body = |_: &SymmetricObject| -> Result<()> {
        // SAFETY: the core passes a parameter array to be answered.
        let mut answers = unsafe { Answers::from_ptr(params) };
        let longest = KeyWrapAlgorithm::wrapped_len(KeyWrapAlgorithm::MAX_LEN)?;
        answers.integer(names::MAX_SIZE, i32::try_from(longest).unwrap_or(i32::MAX))?;
        Ok(())
    };
    // SAFETY: the core passes one of our objects.
    unsafe { guard::shared("keymgmt get_params", keydata, body) }
}

unsafe extern "C" fn gettable_params(_provctx: *mut c_void) -> *const Param {
    static PARAMS: &[Param] = &[Param::describe(names::MAX_SIZE, DataType::Integer), Param::END];
    PARAMS.as_ptr()
}

unsafe extern "C" fn query_operation_name(operation: c_int) -> *const c_char {
    if operation == operation::ASYM_CIPHER { AKV_AES.as_ptr() } else { ptr::null() }
}
