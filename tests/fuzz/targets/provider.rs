//! The provider's functions, called by a hostile host.
#![no_main]

use std::ffi::{c_int, c_void};
use std::sync::LazyLock;

// Brings the entry point.
use akv_provider as _;
use ossl_abi::types::{CoreHandle, Dispatch};

#[path = "../../provider/abi/cases/mod.rs"]
mod cases;
#[path = "../../provider/abi/host.rs"]
mod host;

unsafe extern "C" {
    fn OSSL_provider_init(
        handle: *const CoreHandle,
        upcalls: *const Dispatch,
        out: *mut *const Dispatch,
        provctx: *mut *mut c_void,
    ) -> c_int;
}

thread_local! {
    // SAFETY: the entry point of the provider that is linked in.
    static PROVIDER: host::Provider = unsafe { host::Provider::load(OSSL_provider_init, Vec::new()) };
}

/// The number of the only entry point to test; without it the input selects one.
static ENTRY: LazyLock<Option<usize>> =
    LazyLock::new(|| std::env::var("AKV_FUZZ_ENTRY").ok()?.parse().ok());

libfuzzer_sys::fuzz_target!(|data: &[u8]| PROVIDER.with(|provider| {
    match *ENTRY {
        Some(number) => cases::run_entry(provider, number, data),
        None => cases::run(provider, data),
    };
}));
