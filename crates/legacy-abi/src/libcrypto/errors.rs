//! The error queue of a libcrypto, with our library number.

use std::ffi::{CStr, c_int, c_ulong};
use std::ptr;

use akv_core::ErrorKind;
use ossl_abi::guard::{Entry, ErrorQueue};

use super::constants::{VERSION_3_0, VERSION_4_0};
use super::functions::ErrorFunctions;
use super::types::ErrorString;

/// libcrypto's error functions, and the library number of our errors.
pub struct Errors {
    functions: ErrorFunctions,
    /// The library name that libcrypto shows with our errors.
    name: &'static CStr,
    library: c_int,
    /// libcrypto keeps pointers to these for the rest of the process.
    strings: [&'static [ErrorString]; 2],
}

// SAFETY: libcrypto's functions may be called from any thread, and the strings do not change.
unsafe impl Send for Errors {}
// SAFETY: as above.
unsafe impl Sync for Errors {}

impl Errors {
    /// Allocates a library number and loads the strings of our errors. libcrypto keeps pointers to
    /// them.
    ///
    /// # Safety
    /// The functions are libcrypto's.
    pub unsafe fn register(functions: ErrorFunctions, name: &'static CStr) -> Self {
        // SAFETY: guaranteed by the caller; the function has no arguments.
        let library = unsafe { (functions.ERR_get_next_error_library)() };
        let mut errors = Self { functions, name, library, strings: [&[]; 2] };
        let named = (library.unsigned_abs() & 0xff) << if errors.is_version_3() { 23 } else { 24 };
        let text = |error: c_ulong, text: &CStr| ErrorString { error, text: text.as_ptr() };
        let end = || ErrorString { error: 0, text: ptr::null() };
        let names = vec![text(named.into(), name), end()];
        let mut reasons: Vec<ErrorString> =
            ErrorKind::ALL.iter().map(|kind| text(kind.number().into(), kind.summary())).collect();
        reasons.push(end());
        let lists = [(0, names), (library, reasons)];
        errors.strings = lists.map(|(number, list)| {
            let list = list.leak();
            // SAFETY: the list ends with a zero entry and is never freed. libcrypto adds the
            // library number to the codes in it during this call.
            unsafe { (errors.functions.ERR_load_strings)(number, list.as_mut_ptr()) };
            &*list
        });
        errors
    }

    fn version(&self) -> c_ulong {
        // SAFETY: libcrypto's function has no arguments.
        unsafe { (self.functions.OpenSSL_version_num)() }
    }

    /// Whether this is 3.0 or later.
    pub fn is_version_3(&self) -> bool {
        self.version() >= VERSION_3_0
    }

    /// Whether an operation with an `EVP_PKEY` always uses the method of its legacy structure. 4.0
    /// may export the structure to a provider instead.
    pub fn honours_methods(&self) -> bool {
        self.version() < VERSION_4_0
    }
}

impl ErrorQueue for Errors {
    fn raise(&self, entry: &Entry) {
        let Ok(reason) = c_int::try_from(entry.reason) else { return };
        let functions = &self.functions;
        if let Some(put_error) = functions.ERR_put_error {
            // 1.1.1 keeps the pointer to the file name, and identifies functions by number.
            // SAFETY: libcrypto's function; the name is static.
            unsafe { put_error(self.library, 0, reason, self.name.as_ptr(), entry.line) };
        } else if let (Some(new), Some(set_debug), Some(set_error)) =
            (functions.ERR_new, functions.ERR_set_debug, functions.ERR_set_error)
        {
            // SAFETY: libcrypto's functions, which copy the strings; the format is null.
            unsafe {
                new();
                set_debug(entry.file.as_ptr(), entry.line, entry.function.as_ptr());
                set_error(self.library, reason, ptr::null());
            }
        } else {
            return;
        }
        // SAFETY: libcrypto's function, which copies the one string.
        unsafe { (functions.ERR_add_error_data)(1 as c_int, entry.message.as_ptr()) };
    }
}
