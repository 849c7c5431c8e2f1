//! `e_akv`: the ENGINE for OpenSSL 1.1.1, and for programs on 3.x that still say `engine:`.
//!
//! The module exports `bind_engine` and `v_check`. It links no libcrypto: it finds the functions of
//! the one that loads it when it is loaded, so one binary serves 1.1.1 and 3.x, and HTTPS to the
//! service never enters the host's libcrypto.
//!
//! | module | what |
//! |---|---|
//! | [`host`] | what is kept for each libcrypto of the process |
//! | [`engine`], [`controls`], [`configuration`] | the ENGINE object: settings, loading of keys |
//! | [`key`] | keys in a vault, made of [`legacy_abi`]'s structures, as the engine's keys |
//! | [`rsa_operation`] | PSS and OAEP |
//! | [`key_file`] | key files in PKCS#8 |
//!
//! Keys of others are left alone, also when the ENGINE is made the default for everything: it
//! registers no method for any type of keys but that of key files.

mod configuration;
mod controls;
mod engine;
mod host;
mod key;
mod key_file;
mod rsa_operation;

use crate::host::Host;
use legacy_abi::libcrypto::constants::DYNAMIC_VERSION;
use legacy_abi::libcrypto::types::{DynamicFunctions, Engine};
use ossl_abi::guard;
use std::ffi::{CStr, c_char, c_int, c_ulong};

/// No buffer of this module, or of the libraries in it, leaves a token or a plaintext behind.
#[global_allocator]
static ALLOCATOR: ossl_abi::Wiping = ossl_abi::Wiping;

/// Says whether this libcrypto's way of binding is known here.
#[unsafe(no_mangle)]
extern "C" fn v_check(version: c_ulong) -> c_ulong {
    if version >= DYNAMIC_VERSION { DYNAMIC_VERSION } else { 0 }
}

/// The entry point that libcrypto calls: makes an ENGINE ours, under the id that is asked for.
///
/// # Safety
/// Called by libcrypto with a new ENGINE, null or a C string, and its functions.
#[unsafe(no_mangle)]
unsafe extern "C" fn bind_engine(
    engine: *mut Engine,
    id: *const c_char,
    functions: *const DynamicFunctions,
) -> c_int {
    guard::quiet_panics();
    // SAFETY: libcrypto passes its functions; the address in them is its own.
    let host = guard::alone("bind_engine", None, || unsafe {
        functions.as_ref().and_then(|known| Host::of(known.static_state))
    });
    let (Some(host), false) = (host, engine.is_null()) else {
        return 0;
    };
    guard::run("bind_engine", host.errors, || {
        // SAFETY: libcrypto passes null or a C string, and an ENGINE that nobody uses yet.
        unsafe {
            let id = if id.is_null() { engine::ID } else { CStr::from_ptr(id) };
            engine::bind(host, engine, id)
        }
    })
}
