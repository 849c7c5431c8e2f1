//! The error queue of a libcrypto, and our place in it.

use super::constants::{VERSION_3_0, VERSION_4_0};
use super::functions::ErrorFunctions;
use super::types::ErrorString;
use akv_core::ErrorKind;
use ossl_abi::guard::{Entry, ErrorQueue};
use std::ffi::{CStr, c_int, c_ulong};
use std::ptr;

/// libcrypto's functions for errors, with the number that we have among its libraries.
pub struct Errors {
    functions: ErrorFunctions,
    /// The name under which libcrypto shows our entries.
    name: &'static CStr,
    library: c_int,
    /// libcrypto has pointers to them until its end.
    strings: [&'static [ErrorString]; 2],
}

// SAFETY: libcrypto's functions may be called from any thread, and the texts do not change.
unsafe impl Send for Errors {}
// SAFETY: as above.
unsafe impl Sync for Errors {}

impl Errors {
    /// Takes a number for our errors and gives libcrypto their texts, which it keeps pointers to.
    ///
    /// # Safety
    /// The functions are libcrypto's.
    pub unsafe fn register(functions: ErrorFunctions, name: &'static CStr) -> Self {
        // SAFETY: vouched for by the caller; the function takes nothing.
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
            // SAFETY: the list ends with a zero and lives for ever; libcrypto adds the library's
            // number to the numbers in it, now.
            unsafe { (errors.functions.ERR_load_strings)(number, list.as_mut_ptr()) };
            &*list
        });
        errors
    }

    fn version(&self) -> c_ulong {
        // SAFETY: libcrypto's function takes nothing.
        unsafe { (self.functions.OpenSSL_version_num)() }
    }

    /// Whether this is 3.0 or later.
    pub fn is_version_3(&self) -> bool {
        self.version() >= VERSION_3_0
    }

    /// Whether an operation with an `EVP_PKEY` always goes to the method of the structure inside it.
    /// 4.0 may give the structure's numbers to a provider instead.
    pub fn honours_methods(&self) -> bool {
        self.version() < VERSION_4_0
    }
}

impl ErrorQueue for Errors {
    fn raise(&self, entry: &Entry) {
        let Ok(reason) = c_int::try_from(entry.reason) else { return };
        let functions = &self.functions;
        if let Some(put_error) = functions.ERR_put_error {
            // 1.1.1 keeps the pointer to the file's name, and knows functions by numbers.
            // SAFETY: libcrypto's function; the name is static.
            unsafe { put_error(self.library, 0, reason, self.name.as_ptr(), entry.line) };
        } else if let (Some(new), Some(set_debug), Some(set_error)) =
            (functions.ERR_new, functions.ERR_set_debug, functions.ERR_set_error)
        {
            // SAFETY: libcrypto's functions, which copy the texts; no format is given.
            unsafe {
                new();
                set_debug(entry.file.as_ptr(), entry.line, entry.function.as_ptr());
                set_error(self.library, reason, ptr::null());
            }
        } else {
            return;
        }
        // SAFETY: libcrypto's function, which copies the one text that it is given.
        unsafe { (functions.ERR_add_error_data)(1 as c_int, entry.message.as_ptr()) };
    }
}
