//! Capabilities of the host's other providers (`OSSL_PROVIDER_do_all`,
//! `OSSL_PROVIDER_get_capabilities`).

use std::ffi::{CStr, c_char, c_int, c_void};

use super::{Host, libcrypto_functions};
use crate::entry::CoreCallback;
use crate::guard;
use crate::params::Params;
use crate::types::{Callback, CoreContext, Param};

type Provider = *mut c_void;
type Each = unsafe extern "C" fn(Provider, *mut c_void) -> c_int;

libcrypto_functions! {
    do_all = c"OSSL_PROVIDER_do_all":
        unsafe extern "C" fn(*mut CoreContext, Each, *mut c_void) -> c_int;
    get_capabilities = c"OSSL_PROVIDER_get_capabilities":
        unsafe extern "C" fn(Provider, *const c_char, Callback, *mut c_void) -> c_int;
    provider_context = c"OSSL_PROVIDER_get0_provider_ctx":
        unsafe extern "C" fn(Provider) -> *mut c_void;
    available = c"OSSL_PROVIDER_available":
        unsafe extern "C" fn(*mut CoreContext, *const c_char) -> c_int;
}

/// A query to all providers except our own.
struct Question<'a> {
    name: &'a CStr,
    own: *const c_void,
    functions: &'a Functions,
    wanted: fn(Params<'_>) -> bool,
    callback: CoreCallback<'a>,
}

impl Host {
    /// Whether a provider of this name is active. `false` if libcrypto's functions cannot be found.
    pub fn has_provider(&self, name: &CStr) -> bool {
        let functions = self.libcrypto().and_then(|library| Functions::find(&library));
        let (Some(functions), Some(library_context)) = (functions, self.library_context()) else {
            return false;
        };
        // SAFETY: libcrypto's functions accept the core's own context, and the name is a C string.
        unsafe { (functions.available)(library_context, name.as_ptr()) == 1 }
    }

    /// Queries the capabilities of all other providers and passes those that `wanted` accepts to
    /// the callback. `own` is the provider context of the caller, which is skipped. Reports nothing
    /// if libcrypto's functions cannot be found. Returns `false` if the callback stops the
    /// enumeration.
    pub fn capabilities_of_others(
        &self,
        name: &CStr,
        own: *const c_void,
        wanted: fn(Params<'_>) -> bool,
        callback: CoreCallback<'_>,
    ) -> bool {
        let functions = self.libcrypto().and_then(|library| Functions::find(&library));
        let (Some(functions), Some(library_context)) = (functions, self.library_context()) else {
            return true;
        };
        let mut question = Question { name, own, functions: &functions, wanted, callback };
        // SAFETY: libcrypto's functions accept the core's own context, and the question lives until
        // they return.
        unsafe { (functions.do_all)(library_context, ask, (&raw mut question).cast()) == 1 }
    }
}

/// Queries one provider.
unsafe extern "C" fn ask(provider: Provider, question: *mut c_void) -> c_int {
    // SAFETY: libcrypto passes on the argument of `capabilities_of_others`, which has not returned
    // yet.
    let body = |asked: &Question<'_>| unsafe {
        if std::ptr::eq((asked.functions.provider_context)(provider), asked.own) {
            return 1;
        }
        (asked.functions.get_capabilities)(provider, asked.name.as_ptr(), answer, question)
    };
    // SAFETY: as above.
    unsafe { guard::query("capabilities of a provider", question, 0, body) }
}

/// Passes on one capability.
unsafe extern "C" fn answer(params: *const Param, question: *mut c_void) -> c_int {
    // SAFETY: as above; a provider passes an array that lives until this returns.
    let body = |asked: &Question<'_>| unsafe {
        if !(asked.wanted)(Params::from_ptr(params)) {
            return 1;
        }
        (asked.callback.function())(params, asked.callback.argument())
    };
    // SAFETY: as above.
    unsafe { guard::query("capability", question, 0, body) }
}
