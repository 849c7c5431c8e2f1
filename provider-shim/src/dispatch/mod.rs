//! The provider as libcrypto calls it: loading, parameters, the list of operations.

mod algorithms;
mod declared;

use crate::capabilities;
use crate::children;
use crate::digest::Digest;
use crate::error::{Error, REASON_STRINGS, Result};
use crate::precedence;
use crate::provider::{FUNCTIONS, Provider};
use akv_core::ErrorKind;
use ossl_abi::functions::provider as id;
use ossl_abi::guard;
use ossl_abi::params::Answers;
use ossl_abi::types::DataType;
use ossl_abi::{Algorithm, CoreHandle, Dispatch, Host, Item, Param, names};
use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::sync::Arc;

const NAME: &CStr = c"Azure Key Vault and Managed HSM provider";
const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version has no NUL"),
    };

/// The entry point that libcrypto calls.
///
/// # Safety
/// Called by libcrypto's core, with its handle, its table of upcalls and room for the answers.
#[unsafe(no_mangle)]
unsafe extern "C" fn OSSL_provider_init(
    handle: *const CoreHandle,
    upcalls: *const Dispatch,
    out: *mut *const Dispatch,
    provctx: *mut *mut c_void,
) -> c_int {
    if out.is_null() || provctx.is_null() {
        return 0;
    }
    guard::quiet_panics();
    // SAFETY: handle and table are the core's and valid until the teardown.
    let host = unsafe { Host::new(handle, upcalls) };
    let provider = guard::run("OSSL_provider_init", &host, || -> Result<_> {
        Ok(Arc::new(Provider::new(host, TABLE)))
    });
    if provider.is_null() {
        return 0;
    }
    // SAFETY: none is null, and the core gives room for one pointer each.
    unsafe {
        *provctx = provider;
        *out = (*provider.cast::<Provider>()).children().table();
    }
    1
}

const TABLE: [Dispatch; FUNCTIONS] = [
    id::TEARDOWN.entry(teardown),
    id::GETTABLE_PARAMS.entry(gettable_params),
    id::GET_PARAMS.entry(get_params),
    id::QUERY_OPERATION.entry(query_operation),
    id::GET_REASON_STRINGS.entry(reason_strings),
    id::GET_CAPABILITIES.entry(capabilities::get),
    id::SELF_TEST.entry(self_test),
    Dispatch::END,
];

unsafe extern "C" fn teardown(provctx: *mut c_void) {
    // SAFETY: the core gives back what `OSSL_provider_init` gave it, once. Keys and contexts that
    // are still alive have counts of their own.
    unsafe { guard::free_arc::<Provider>(provctx) };
}

unsafe extern "C" fn gettable_params(_provctx: *mut c_void) -> *const Param {
    static PARAMS: &[Param] = &[
        Param::describe(names::PROVIDER_NAME, DataType::Utf8Ptr),
        Param::describe(names::PROVIDER_VERSION, DataType::Utf8Ptr),
        Param::describe(names::PROVIDER_BUILDINFO, DataType::Utf8Ptr),
        Param::describe(names::PROVIDER_STATUS, DataType::Integer),
        Param::END,
    ];
    PARAMS.as_ptr()
}

unsafe extern "C" fn get_params(provctx: *mut c_void, params: *mut Param) -> c_int {
    let body = |provider: &Provider| -> Result<()> {
        // SAFETY: the core passes a parameter array to be answered.
        let mut answers = unsafe { Answers::from_ptr(params) };
        answers.utf8_static(names::PROVIDER_NAME, NAME)?;
        answers.utf8_static(names::PROVIDER_VERSION, VERSION)?;
        answers.utf8_static(names::PROVIDER_BUILDINFO, VERSION)?;
        answers.integer(names::PROVIDER_STATUS, i32::from(provider.client().is_ok()))?;
        Ok(())
    };
    // SAFETY: the core passes the provider context.
    unsafe { guard::shared("provider parameters", provctx, body) }
}

unsafe extern "C" fn query_operation(
    provctx: *mut c_void,
    operation: c_int,
    no_cache: *mut c_int,
) -> *const Algorithm {
    let body = |provider: &Provider| -> Option<&'static [Algorithm]> {
        let ready = precedence::yield_to_others(provider.host(), operation);
        ready.then(|| algorithms::of(provider, operation))
    };
    // SAFETY: the core passes the provider context, and null or room for an int.
    unsafe { answer("query operation", provctx, no_cache, body) }
}

/// # Safety
/// `provctx` is the provider context, `no_cache` null or room for an int.
unsafe fn answer(
    name: &'static str,
    provctx: *mut c_void,
    no_cache: *mut c_int,
    body: impl FnOnce(&Provider) -> Option<&'static [Algorithm]>,
) -> *const Algorithm {
    // SAFETY: vouched for by the caller.
    let algorithms = unsafe { guard::query(name, provctx, None, body) };
    // SAFETY: as above.
    if let Some(no_cache) = unsafe { no_cache.as_mut() } {
        // What is not there yet has to be asked for again.
        *no_cache = algorithms.is_none().into();
    }
    algorithms.filter(|list| !list.is_empty()).map_or(ptr::null(), <[Algorithm]>::as_ptr)
}

/// What a child context calls. Nobody can be asked to go first there: the upcalls are the parent's.
unsafe extern "C" fn query_in_child<const CHILD: usize>(
    provctx: *mut c_void,
    operation: c_int,
    no_cache: *mut c_int,
) -> *const Algorithm {
    let body = |provider: &Provider| -> Option<&'static [Algorithm]> {
        let early = provider.children().comes_too_early(CHILD, operation);
        (!early).then(|| algorithms::of(provider, operation))
    };
    // SAFETY: the core passes the provider context, and null or room for an int.
    unsafe { answer("query operation in a child context", provctx, no_cache, body) }
}

/// Asked for after each initialisation, also in a child context.
unsafe extern "C" fn reason_strings(provctx: *mut c_void) -> *const Item {
    const QUERIES: children::Queries =
        children::queries!(query_in_child: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    let body = |provider: &Provider| provider.children().initialised(&QUERIES);
    // SAFETY: the core passes the provider context.
    unsafe { guard::query("reason strings", provctx, (), body) };
    REASON_STRINGS.as_ptr()
}

/// Looks whether the settings are right and hashes a known message: what can be tested without a
/// vault.
unsafe extern "C" fn self_test(provctx: *mut c_void) -> c_int {
    let body = |provider: &Provider| -> Result<()> {
        provider.client()?;
        let mut hasher = Digest::Sha256.hasher();
        hasher.update(b"abc");
        if !hasher.finish().starts_with(&[0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea]) {
            return Err(Error::Raised(ErrorKind::Internal, "SHA-256 does not work".into()));
        }
        Ok(())
    };
    // SAFETY: the core passes the provider context.
    unsafe { guard::shared("self test", provctx, body) }
}
