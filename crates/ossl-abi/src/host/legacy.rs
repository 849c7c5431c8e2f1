//! How libcrypto asks a key for its old structure (`EVP_PKEY_get0_RSA`).
//!
//! It has the key exported, everything that there is, to an importer of its own. Nothing but the
//! address of that importer tells such an export from one to another provider.

use super::{Host, libcrypto_functions};
use crate::params::ParamArray;
use crate::types::{CoreContext, Param};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

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

/// The old structures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Structure {
    /// `RSA`.
    Rsa,
    /// `EC_KEY`.
    EcKey,
}

impl Structure {
    /// The type of the keys that have it.
    pub fn key_type(self) -> &'static CStr {
        match self {
            Self::Rsa => c"RSA",
            Self::EcKey => c"EC",
        }
    }
}

impl Host {
    /// Has libcrypto make a key of these parts, with a provider of these properties, and runs
    /// `watched` around a question for its structure. Nothing happens where libcrypto's functions
    /// are not to be found, or no provider of these properties takes the parts.
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
            // SAFETY: libcrypto's functions with what they take; the array is only read, and null
            // is refused by each of them.
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
            // SAFETY: the key is ours and given back once.
            unsafe { (functions.free)(pkey) };
        });
    }

    /// An address in the libcrypto that this host is.
    pub fn address(&self) -> Option<*const c_void> {
        self.get_params.map(|upcall| upcall as *const c_void)
    }
}
