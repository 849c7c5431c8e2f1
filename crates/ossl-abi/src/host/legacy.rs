//! How libcrypto converts a key to a legacy structure (`EVP_PKEY_get0_RSA`).
//!
//! It exports the whole key to an importer of its own. Only the address of that importer
//! distinguishes such an export from one to another provider.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use super::{Host, libcrypto_functions};
use crate::params::ParamArray;
use crate::types::{CoreContext, Param};

type Context = *mut c_void;
type Pkey = *mut c_void;

libcrypto_functions! {
    context_by_name = c"EVP_PKEY_CTX_new_from_name":
        unsafe extern "C" fn(*mut CoreContext, *const c_char, *const c_char) -> Context;
    free_context = c"EVP_PKEY_CTX_free": unsafe extern "C" fn(Context);
    fromdata_init = c"EVP_PKEY_fromdata_init": unsafe extern "C" fn(Context) -> c_int;
    fromdata = c"EVP_PKEY_fromdata":
        unsafe extern "C" fn(Context, *mut Pkey, c_int, *mut Param) -> c_int;
    free = c"EVP_PKEY_free": unsafe extern "C" fn(Pkey);
    rsa = c"EVP_PKEY_get0_RSA": unsafe extern "C" fn(Pkey) -> *mut c_void;
    ec = c"EVP_PKEY_get0_EC_KEY": unsafe extern "C" fn(Pkey) -> *mut c_void;
}

/// The legacy structures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Structure {
    /// `RSA`.
    Rsa,
    /// `EC_KEY`.
    EcKey,
}

impl Structure {
    /// The type of keys with this structure.
    pub fn key_type(self) -> &'static CStr {
        match self {
            Self::Rsa => c"RSA",
            Self::EcKey => c"EC",
        }
    }
}

impl Host {
    /// Makes libcrypto create a key from these parts, with a provider of these properties. Passes
    /// `watched` a function that gets the key's legacy structure. Does nothing if libcrypto's
    /// functions cannot be found, or if no provider of these properties imports the parts.
    pub fn ask_for_structure(
        &self,
        structure: Structure,
        properties: &CStr,
        selection: c_int,
        parts: &ParamArray,
        watched: impl FnOnce(&dyn Fn()),
    ) {
        let functions = self.libcrypto().and_then(|library| Functions::find(&library));
        let (Some(functions), Some(library_context)) = (functions, self.library_context()) else {
            return;
        };
        self.quietly(|| {
            let mut pkey = ptr::null_mut();
            // SAFETY: libcrypto's functions with valid arguments. The array is only read, and each
            // function rejects null.
            unsafe {
                let context = (functions.context_by_name)(
                    library_context,
                    structure.key_type().as_ptr(),
                    properties.as_ptr(),
                );
                if (functions.fromdata_init)(context) == 1 {
                    let parts = parts.as_ptr().cast_mut();
                    (functions.fromdata)(context, &mut pkey, selection, parts);
                }
                (functions.free_context)(context);
            }
            if pkey.is_null() {
                return;
            }
            let get = match structure {
                Structure::Rsa => functions.rsa,
                Structure::EcKey => functions.ec,
            };
            watched(&|| {
                // SAFETY: the key is alive; what is returned belongs to it.
                unsafe { get(pkey) };
            });
            // SAFETY: the key is ours and is freed once.
            unsafe { (functions.free)(pkey) };
        });
    }

    /// An address in this host's libcrypto.
    pub fn address(&self) -> Option<*const c_void> {
        self.get_params.map(|upcall| upcall as *const c_void)
    }
}
