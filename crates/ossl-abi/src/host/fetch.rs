//! The one thing that upcalls cannot do: have the host fetch other providers' algorithms.
//!
//! libcrypto's functions for it are looked up in exactly the libcrypto that loads the provider,
//! while it does so. Where they are not to be found, in a program that links libcrypto statically
//! and exports nothing, nothing is fetched.

use super::Host;
use crate::functions::operation;
use crate::types::CoreContext;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::{MaybeUninit, transmute};
use std::ptr::{self, NonNull};

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
            keymgmt: library.pair(c"EVP_KEYMGMT_fetch", c"EVP_KEYMGMT_free"),
            signature: library.pair(c"EVP_SIGNATURE_fetch", c"EVP_SIGNATURE_free"),
            asym_cipher: library.pair(c"EVP_ASYM_CIPHER_fetch", c"EVP_ASYM_CIPHER_free"),
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

/// A shared library that is loaded.
struct Library {
    handle: NonNull<c_void>,
    base: *mut c_void,
}

impl Library {
    /// The one that this address is in.
    fn of(address: *const c_void) -> Option<Self> {
        let place = place_of(address)?;
        // SAFETY: the name is the loader's C string, and nothing is loaded that is not there yet.
        let named = unsafe { libc::dlopen(place.dli_fname, libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
        let handle = if named.is_null() {
            // The program itself is not opened by its name.
            // SAFETY: null stands for the program.
            unsafe { libc::dlopen(ptr::null(), libc::RTLD_LAZY) }
        } else {
            named
        };
        NonNull::new(handle).map(|handle| Self { handle, base: place.dli_fbase })
    }

    fn pair(&self, fetch: &CStr, free: &CStr) -> Option<Pair> {
        let (fetch, free) = (self.symbol(fetch)?, self.symbol(free)?);
        // SAFETY: these are libcrypto's functions of those names, whose prototypes have been the
        // same since 3.0.
        unsafe {
            Some(Pair {
                fetch: transmute::<*mut c_void, FetchFn>(fetch),
                free: transmute::<*mut c_void, FreeFn>(free),
            })
        }
    }

    /// A function of this very library: a search also finds those of others.
    fn symbol(&self, name: &CStr) -> Option<*mut c_void> {
        // SAFETY: the handle is open.
        let address = unsafe { libc::dlsym(self.handle.as_ptr(), name.as_ptr()) };
        (place_of(address)?.dli_fbase == self.base).then_some(address)
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and this count of it is ours. The host keeps its library.
        unsafe { libc::dlclose(self.handle.as_ptr()) };
    }
}

/// Which file an address comes from.
fn place_of(address: *const c_void) -> Option<libc::Dl_info> {
    let mut place = MaybeUninit::zeroed();
    // SAFETY: any address may be asked about; there is room for the answer, which is filled in
    // when the function does not return 0.
    unsafe { (libc::dladdr(address, place.as_mut_ptr()) != 0).then(|| place.assume_init()) }
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

    #[test]
    fn functions_are_found_in_their_own_library_only() {
        let library = Library::of(libc::getpid as *const c_void).expect("the C library");
        assert_eq!(library.symbol(c"getpid"), Some(libc::getpid as *mut c_void));
        assert_eq!(library.symbol(c"no_such_function"), None);
        assert!(Library::of(ptr::null()).is_none());
    }

    #[test]
    fn the_program_is_a_library_too() {
        let here = Library::of(Library::of as *const c_void).expect("this program");
        // It is found from here, but not in the program.
        assert_eq!(here.symbol(c"getpid"), None);
    }
}
