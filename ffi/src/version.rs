//! The versions of the library and its ABI.

use std::ffi::{CStr, c_char};

/// The ABI version. It grows when functions are added. When a function is changed or removed, the
/// library's file name (`libakv.so.1`) changes.
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

/// The ABI version of the loaded library. If it is lower than the `AKV_ABI_VERSION` that a program
/// was compiled with, the library lacks functions of that header.
#[unsafe(no_mangle)]
pub extern "C" fn akv_abi_version() -> u32 {
    ABI_VERSION
}
