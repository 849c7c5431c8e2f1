//! The provider's functions: loading, parameters, the list of operations.

mod algorithms;
mod declared;

use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::sync::Arc;

use akv_core::ErrorKind;
use ossl_abi::entry::Place;
use ossl_abi::functions::provider as id;
use ossl_abi::guard;
use ossl_abi::types::DataType;
use ossl_abi::{Algorithm, CoreHandle, Dispatch, Host, Item, Param, entry, names};

use crate::capabilities;
use crate::children;
use crate::digest::Digest;
use crate::error::{Error, REASON_STRINGS, Result};
use crate::precedence;
use crate::provider::{FUNCTIONS, Provider};

const NAME: &CStr = c"Azure Key Vault and Managed HSM provider";
const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version has no NUL"),
    };

/// The entry point that libcrypto calls.
///
/// libcrypto passes its handle, its table of upcalls and room for the results.
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
    // SAFETY: the handle and the table are the core's and valid until teardown.
    let host = unsafe { Host::new(handle, upcalls) };
    let provider = guard::run("OSSL_provider_init", &host, || -> Result<_> {
        Ok(Arc::new(Provider::new(host, TABLE)))
    });
    if provider.is_null() {
        return 0;
    }
    // SAFETY: neither is null, and each has room for a pointer.
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

entry! {
    /// Drops the reference from `OSSL_provider_init`. Keys and contexts hold references of their
    /// own.
    fn teardown(provider: Arc<Provider>);
}

extern "C" fn gettable_params(_provctx: *mut c_void) -> *const Param {
    static PARAMS: &[Param] = &[
        Param::describe(names::PROVIDER_NAME, DataType::Utf8Ptr),
        Param::describe(names::PROVIDER_VERSION, DataType::Utf8Ptr),
        Param::describe(names::PROVIDER_BUILDINFO, DataType::Utf8Ptr),
        Param::describe(names::PROVIDER_STATUS, DataType::Integer),
        Param::END,
    ];
    PARAMS.as_ptr()
}

entry! {
    fn get_params(
        "provider parameters",
        provider: &Arc<Provider>,
        answers: Answers,
    ) -> Result<()> {
        answers.utf8_static(names::PROVIDER_NAME, NAME)?;
        answers.utf8_static(names::PROVIDER_VERSION, VERSION)?;
        answers.utf8_static(names::PROVIDER_BUILDINFO, VERSION)?;
        answers.integer(names::PROVIDER_STATUS, i32::from(provider.client().is_ok()))?;
        Ok(())
    }
}

entry! {
    fn query_operation(
        "query operation",
        provider: &Arc<Provider>,
        operation: c_int,
        no_cache: Option<Place<c_int>>,
    ) -> *const Algorithm, or (ptr::null()) {
        answer_query(no_cache, || {
            let ready = precedence::yield_to_others(provider.host(), operation);
            ready.then(|| algorithms::of(provider, operation))
        })
    }
}

entry! {
    /// Called by a child context. Other providers cannot be registered first from here: the upcalls
    /// belong to the parent.
    fn query_in_child<const CHILD: usize>(
        "query operation in a child context",
        provider: &Arc<Provider>,
        operation: c_int,
        no_cache: Option<Place<c_int>>,
    ) -> *const Algorithm, or (ptr::null()) {
        answer_query(no_cache, || {
            let first = provider.children().is_first_query(CHILD, operation);
            (!first).then(|| algorithms::of(provider, operation))
        })
    }
}

/// Returns the result of `find` to C. If there is none yet, or `find` panics, libcrypto must query
/// again.
fn answer_query(
    mut no_cache: Option<Place<'_, c_int>>,
    find: impl FnOnce() -> Option<&'static [Algorithm]>,
) -> *const Algorithm {
    let mut set_no_cache = |value: bool| {
        if let Some(no_cache) = &mut no_cache {
            no_cache.set(value.into());
        }
    };
    set_no_cache(true);
    let algorithms = find();
    set_no_cache(algorithms.is_none());
    algorithms.filter(|list| !list.is_empty()).map_or(ptr::null(), <[Algorithm]>::as_ptr)
}

entry! {
    /// Requested after each initialisation, also in a child context.
    fn reason_strings(
        "reason strings",
        provider: &Arc<Provider>,
    ) -> *const Item, or (REASON_STRINGS.as_ptr()) {
        const QUERIES: children::Queries =
            children::queries!(query_in_child: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        provider.children().initialised(&QUERIES);
        REASON_STRINGS.as_ptr()
    }
}

entry! {
    /// Checks the settings and hashes a known message. More cannot be tested without a vault.
    fn self_test("self test", provider: &Arc<Provider>) -> Result<()> {
        provider.client()?;
        let mut hasher = Digest::Sha256.hasher();
        hasher.update(b"abc");
        if !hasher.finish().starts_with(&[0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea]) {
            return Err(Error::Raised(ErrorKind::Internal, "the SHA-256 self test failed".into()));
        }
        Ok(())
    }
}
