//! The one thing that upcalls cannot do: have the host fetch other providers' algorithms.
//!
//! libcrypto's functions for it are looked up in exactly the libcrypto that loads the provider,
//! while it does so. Where they are not to be found, in a program that links libcrypto statically
//! and exports nothing, nothing is fetched.

use super::Host;
use crate::functions::operation;
use crate::library::Library;
use crate::types::CoreContext;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::transmute;

type FetchFn = unsafe extern "C" fn(*mut CoreContext, *const c_char, *const c_char) -> *mut c_void;
type FreeFn = unsafe extern "C" fn(*mut c_void);

/// libcrypto's functions that fetch algorithms of one operation and give them back.
#[derive(Clone, Copy)]
struct Pair {
    fetch: FetchFn,
    free: FreeFn,
}

/// The functions for the operations of a provider of keys.
#[derive(Clone, Copy, Default)]
pub(super) struct Fetchers {
    keymgmt: Option<Pair>,
    signature: Option<Pair>,
    asym_cipher: Option<Pair>,
}

impl Fetchers {
    /// Looks them up in the library that this function belongs to.
    pub(super) fn beside(upcall: *const c_void) -> Self {
        let Some(library) = Library::of(upcall) else {
            return Self::default();
        };
        Self {
            keymgmt: pair(&library, c"EVP_KEYMGMT_fetch", c"EVP_KEYMGMT_free"),
            signature: pair(&library, c"EVP_SIGNATURE_fetch", c"EVP_SIGNATURE_free"),
            asym_cipher: pair(&library, c"EVP_ASYM_CIPHER_fetch", c"EVP_ASYM_CIPHER_free"),
        }
    }
}

impl Host {
    /// Has libcrypto fetch an algorithm of an operation, and drops it again: libcrypto then knows
    /// what its providers offer for that operation. It asks all of them, the one that calls this
    /// among them.
    pub fn visit(&self, operation: c_int, algorithm: &CStr, properties: &CStr) {
        let pair = match operation {
            operation::KEYMGMT => self.fetchers.keymgmt,
            operation::SIGNATURE => self.fetchers.signature,
            operation::ASYM_CIPHER => self.fetchers.asym_cipher,
            _ => None,
        };
        let (Some(Pair { fetch, free }), Some(get_context)) = (pair, self.get_context) else {
            return;
        };
        self.quietly(|| {
            // SAFETY: the context is the core's own, which is what libcrypto's functions take,
            // and what was fetched is given back once; so may null be.
            unsafe {
                let context = get_context(self.handle);
                free(fetch(context, algorithm.as_ptr(), properties.as_ptr()));
            }
        });
    }
}

/// Two functions of a library.
fn pair(library: &Library, fetch: &CStr, free: &CStr) -> Option<Pair> {
    let (fetch, free) = (library.symbol(fetch)?, library.symbol(free)?);
    // SAFETY: these are libcrypto's functions of those names, whose prototypes have been the
    // same since 3.0.
    unsafe {
        Some(Pair {
            fetch: transmute::<*mut c_void, FetchFn>(fetch),
            free: transmute::<*mut c_void, FreeFn>(free),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_without_these_functions_has_none() {
        // The C library is loaded here; libcrypto is not.
        let fetchers = Fetchers::beside(libc::getpid as *const c_void);
        assert!(fetchers.keymgmt.is_none() && fetchers.signature.is_none());
    }
}
