//! What this library is.

use std::ffi::{CStr, c_char};

/// The version of the binary interface. It grows when functions are added; the library's file name
/// (`libakv.so.1`) changes when one is changed or taken away.
pub const ABI_VERSION: u32 = 1;

/// The version of the library, such as `0.1.0`.
#[unsafe(no_mangle)]
pub extern "C" fn akv_version() -> *const c_char {
    const VERSION: &CStr =
        match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
            Ok(version) => version,
            Err(_) => panic!("a version without NUL"),
        };
    VERSION.as_ptr()
}

/// The version of the binary interface of the library that is loaded: at least the
/// `AKV_ABI_VERSION` of the header that a program was compiled with, or it lacks functions.
#[unsafe(no_mangle)]
pub extern "C" fn akv_abi_version() -> u32 {
    ABI_VERSION
}
