//! Symmetric keys as `EVP_PKEY`: libcrypto treats one as a private key without a public half.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::sync::Arc;

use akv_core::KeyWrapAlgorithm;
use ossl_abi::entry;
use ossl_abi::functions::{keymgmt as id, operation};
use ossl_abi::guard::Return;
use ossl_abi::names;
use ossl_abi::types::{Algorithm, DataType, Dispatch, Param};

use crate::error::{Error, Result};
use crate::handover::{Referred, referred};
use crate::key::{AKV_AES, SymmetricObject};
use crate::selection::Selection;

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

entry! {
    fn load("keymgmt load", reference: Reference) -> *mut c_void, or (ptr::null_mut()) {
        match reference.and_then(referred) {
            Some(Referred::Symmetric(key)) => key.into_raw(),
            _ => ptr::null_mut(),
        }
    }
}

entry! {
    fn free(key: Arc<SymmetricObject>);
}

entry! {
    /// A duplicate is another reference, since objects never change. A key has no separate parts.
    fn dup(
        "keymgmt dup",
        key: const &Arc<SymmetricObject>,
        selection: Selection as c_int,
    ) -> Result<Arc<SymmetricObject>> {
        if selection.private() { Ok(Arc::clone(key)) } else { Err(Error::Silent) }
    }
}

entry! {
    fn has("keymgmt has", _key: &SymmetricObject, selection: Selection as c_int) -> c_int, or 0 {
        (!selection.public()).into()
    }
}

entry! {
    /// Keys are compared by their references.
    fn matches(
        "keymgmt match",
        first: &SymmetricObject,
        second: Option<&SymmetricObject>,
        _selection: c_int,
    ) -> c_int, or 0 {
        second.is_some_and(|second| first.id() == second.id()).into()
    }
}

entry! {
    /// The service does not report the key size.
    fn get_params("keymgmt get_params", _key: &SymmetricObject, answers: Answers) -> Result<()> {
        let longest = KeyWrapAlgorithm::wrapped_len(KeyWrapAlgorithm::MAX_LEN)?;
        answers.integer(names::MAX_SIZE, i32::try_from(longest).unwrap_or(i32::MAX))?;
        Ok(())
    }
}

extern "C" fn gettable_params(_provctx: *mut c_void) -> *const Param {
    static PARAMS: &[Param] = &[Param::describe(names::MAX_SIZE, DataType::Integer), Param::END];
    PARAMS.as_ptr()
}

extern "C" fn query_operation_name(operation: c_int) -> *const c_char {
    if operation == operation::ASYM_CIPHER { AKV_AES.as_ptr() } else { ptr::null() }
}
