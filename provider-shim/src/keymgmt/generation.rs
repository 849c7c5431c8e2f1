//! Key generation, which is not ours: hosts get here when a property query prefers us for
//! everything, and are told how to get their keys.

use super::Kind;
use crate::error::{Error, Result};
use crate::provider::Provider;
use ossl_abi::guard;
use ossl_abi::types::{Callback, Param};
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::Arc;

pub(super) unsafe extern "C" fn init<K: Kind>(
    provctx: *mut c_void,
    _selection: c_int,
    _params: *const Param,
) -> *mut c_void {
    let body = |_: &Provider| -> Result<Arc<()>> {
        let kind = K::TYPE.name();
        Err(Error::unsupported(format!(
            "akv_provider makes no {kind} keys, it uses those of vaults. It is asked because a \
             property query or default_properties prefer it: leave 'provider=akv_provider' out, \
             since keys of vaults are found without it, or ask for this key with \
             '?provider=default'"
        )))
    };
    // SAFETY: the core passes the provider context.
    unsafe { guard::shared("keymgmt gen_init", provctx, body) }
}

/// Never called, as nothing was initialised; libcrypto insists on it.
pub(super) unsafe extern "C" fn generate(
    _genctx: *mut c_void,
    _callback: Option<Callback>,
    _arg: *mut c_void,
) -> *mut c_void {
    ptr::null_mut()
}

/// Never called either.
pub(super) unsafe extern "C" fn cleanup(_genctx: *mut c_void) {}
