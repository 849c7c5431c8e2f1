//! Makes the host fetch algorithms of other providers, for which there is no upcall.
//!
//! libcrypto's functions are looked up in exactly the libcrypto that loads the provider, at load.
//! If they cannot be found, as in a program that links libcrypto statically and exports nothing, no
//! algorithm is fetched.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::transmute;

use super::Host;
use crate::functions::operation;
use crate::library::Library;
use crate::types::CoreContext;

type FetchFn = unsafe extern "C" fn(*mut CoreContext, *const c_char, *const c_char) -> *mut c_void;
type FreeFn = unsafe extern "C" fn(*mut c_void);

/// libcrypto's functions that fetch and free algorithms of one operation.
#[derive(Clone, Copy)]
struct Pair {
    fetch: FetchFn,
    free: FreeFn,
}

/// The functions for the operations of a key provider.
#[derive(Clone, Copy, Default)]
pub(super) struct Fetchers {
    keymgmt: Option<Pair>,
    signature: Option<Pair>,
    asym_cipher: Option<Pair>,
}

impl Fetchers {
    /// Looks up the functions in the library that contains this address.
    pub(super) fn in_library_of(upcall: *const c_void) -> Self {
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
    /// Makes libcrypto fetch an algorithm and frees it at once. libcrypto then caches what its
    /// providers offer for that operation. It queries all of them, including the provider that
    /// calls this.
    pub fn fetch_and_free(&self, operation: c_int, algorithm: &CStr, properties: &CStr) {
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
            // SAFETY: the context is the core's own, which libcrypto's functions accept. The
            // fetched algorithm is freed once; null may be freed too.
            unsafe {
                let context = get_context(self.handle);
                free(fetch(context, algorithm.as_ptr(), properties.as_ptr()));
            }
        });
    }
}

/// A fetch function of a library and the matching free function.
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
        // The C library is loaded in this process; libcrypto is not.
        let fetchers = Fetchers::in_library_of(libc::getpid as *const c_void);
        assert!(fetchers.keymgmt.is_none() && fetchers.signature.is_none());
    }
}
