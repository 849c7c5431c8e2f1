//! What the host's other providers can do, as they tell it libcrypto (`OSSL_PROVIDER_do_all`,
//! `OSSL_PROVIDER_get_capabilities`). As with keys there are no upcalls for it.

use super::Host;
use crate::guard;
use crate::library::Library;
use crate::params::Params;
use crate::types::{Callback, CoreContext, Param};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::transmute;

type Provider = *mut c_void;
type Each = unsafe extern "C" fn(Provider, *mut c_void) -> c_int;
type DoAllFn = unsafe extern "C" fn(*mut CoreContext, Each, *mut c_void) -> c_int;
type GetCapabilitiesFn =
    unsafe extern "C" fn(Provider, *const c_char, Callback, *mut c_void) -> c_int;
type ProviderContextFn = unsafe extern "C" fn(Provider) -> *mut c_void;

/// One question to all providers but one.
struct Question<'a> {
    name: &'a CStr,
    own: *const c_void,
    get_capabilities: GetCapabilitiesFn,
    provider_context: ProviderContextFn,
    wanted: fn(Params<'_>) -> bool,
    callback: Callback,
    arg: *mut c_void,
}

impl Host {
    /// Has other providers tell what they are capable of, and passes on what is wanted of it.
    /// `own` is the provider context of the one that asks. Where libcrypto's functions are not to
    /// be found, nothing is told. `false` when the callback wants no more.
    ///
    /// # Safety
    /// `callback` and `arg` are those that the core passed to the call that is going on.
    pub unsafe fn capabilities_of_others(
        &self,
        name: &CStr,
        own: *const c_void,
        wanted: fn(Params<'_>) -> bool,
        callback: Callback,
        arg: *mut c_void,
    ) -> bool {
        let (Some(upcall), Some(get_context)) = (self.get_params, self.get_context) else {
            return true;
        };
        let Some(library) = Library::of(upcall as *const c_void) else {
            return true;
        };
        let symbols = (
            library.symbol(c"OSSL_PROVIDER_do_all"),
            library.symbol(c"OSSL_PROVIDER_get_capabilities"),
            library.symbol(c"OSSL_PROVIDER_get0_provider_ctx"),
        );
        let (Some(do_all), Some(get_capabilities), Some(provider_context)) = symbols else {
            return true;
        };
        // SAFETY: these are libcrypto's functions of those names, whose prototypes have been the
        // same since 3.0.
        let (do_all, get_capabilities, provider_context) = unsafe {
            (
                transmute::<*mut c_void, DoAllFn>(do_all),
                transmute::<*mut c_void, GetCapabilitiesFn>(get_capabilities),
                transmute::<*mut c_void, ProviderContextFn>(provider_context),
            )
        };
        let mut question =
            Question { name, own, get_capabilities, provider_context, wanted, callback, arg };
        // SAFETY: the core's own context is what libcrypto's functions take, and the question lives
        // until they return.
        unsafe { do_all(get_context(self.handle), ask, (&raw mut question).cast()) == 1 }
    }
}

/// Asks one provider.
unsafe extern "C" fn ask(provider: Provider, question: *mut c_void) -> c_int {
    // SAFETY: libcrypto passes on what it got from `capabilities_of_others`, which waits.
    let body = |asked: &Question<'_>| unsafe {
        if std::ptr::eq((asked.provider_context)(provider), asked.own) {
            return 1;
        }
        (asked.get_capabilities)(provider, asked.name.as_ptr(), answer, question)
    };
    // SAFETY: as above.
    unsafe { guard::query("capabilities of a provider", question, 0, body) }
}

/// Passes one answer on.
unsafe extern "C" fn answer(params: *const Param, question: *mut c_void) -> c_int {
    // SAFETY: as above; a provider passes an array that lives until this returns.
    let body = |asked: &Question<'_>| unsafe {
        if !(asked.wanted)(Params::from_ptr(params)) {
            return 1;
        }
        (asked.callback)(params, asked.arg)
    };
    // SAFETY: as above.
    unsafe { guard::query("capability", question, 0, body) }
}
