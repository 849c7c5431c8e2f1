//! `e_akv`: the ENGINE for OpenSSL 1.1.1, and for programs on 3.x that still use `engine:`.
//!
//! The module exports `bind_engine` and `v_check`. It links no libcrypto: at load it looks up the
//! functions of the libcrypto that loads it. One binary therefore serves 1.1.1 and 3.x, and HTTPS
//! to the service does not use the host's libcrypto.
//!
//! | module | content |
//! |---|---|
//! | [`host`] | state for each libcrypto in the process |
//! | [`engine`], [`controls`], [`configuration`] | the ENGINE object: settings, key loading |
//! | [`key`] | vault keys as keys of the engine, built from [`legacy_abi`]'s structures |
//! | [`rsa_operation`] | PSS and OAEP |
//! | [`key_file`] | key files in PKCS#8 |
//!
//! Keys from elsewhere are not affected, even if the ENGINE is the default for everything: the only
//! key type it registers a method for is that of key files.

mod configuration;
mod controls;
mod engine;
mod host;
mod key;
mod key_file;
mod rsa_operation;

use std::ffi::{CStr, c_char, c_int, c_ulong};

use legacy_abi::libcrypto::constants::DYNAMIC_VERSION;
use legacy_abi::libcrypto::types::{DynamicFunctions, Engine};
use ossl_abi::guard;

use crate::host::Host;

/// Zeroes all freed memory of this module and its libraries, so that no token or plaintext stays
/// behind.
#[global_allocator]
static ALLOCATOR: ossl_abi::Wiping = ossl_abi::Wiping;

/// Returns whether this libcrypto's version of the dynamic engine interface is supported.
#[unsafe(no_mangle)]
extern "C" fn v_check(version: c_ulong) -> c_ulong {
    if version >= DYNAMIC_VERSION { DYNAMIC_VERSION } else { 0 }
}

/// The entry point for libcrypto: sets up an ENGINE with the requested id.
///
/// # Safety
/// libcrypto passes a new ENGINE, an id that is null or a C string, and its functions.
#[unsafe(no_mangle)]
unsafe extern "C" fn bind_engine(
    engine: *mut Engine,
    id: *const c_char,
    functions: *const DynamicFunctions,
) -> c_int {
    guard::quiet_panics();
    // SAFETY: libcrypto passes its functions, which contain an address inside it.
    let host = guard::catch_panic("bind_engine", None, || unsafe {
        functions.as_ref().and_then(|known| Host::of(known.static_state))
    });
    let (Some(host), false) = (host, engine.is_null()) else {
        return 0;
    };
    guard::run("bind_engine", host.errors, || {
        // SAFETY: libcrypto passes null or a C string, and an ENGINE that nothing uses yet.
        unsafe {
            let id = if id.is_null() { engine::ID } else { CStr::from_ptr(id) };
            engine::bind(host, engine, id)
        }
    })
}
