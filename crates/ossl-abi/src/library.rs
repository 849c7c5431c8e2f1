//! Shared libraries that are already loaded, and their functions.

use std::ffi::{CStr, c_void};
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

/// A loaded library, found by an address inside it. It stays loaded while this value lives.
pub struct Library {
    handle: NonNull<c_void>,
    base: *mut c_void,
}

impl Library {
    /// The library, or the program, that contains this address. It is found even if it was opened
    /// with `RTLD_LOCAL`.
    pub fn of(address: *const c_void) -> Option<Self> {
        let place = place_of(address)?;
        // SAFETY: the name is the loader's C string, and `RTLD_NOLOAD` loads nothing new.
        let named = unsafe { libc::dlopen(place.dli_fname, libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
        let handle = if named.is_null() {
            // The program itself cannot be opened by name.
            // SAFETY: null stands for the program.
            unsafe { libc::dlopen(ptr::null(), libc::RTLD_LAZY) }
        } else {
            named
        };
        NonNull::new(handle).map(|handle| Self { handle, base: place.dli_fbase })
    }

    /// Its base address.
    pub fn base(&self) -> usize {
        self.base as usize
    }

    /// A symbol of this library only: `dlsym` alone also finds symbols of its dependencies.
    pub fn symbol(&self, name: &CStr) -> Option<*mut c_void> {
        // SAFETY: the handle is open.
        let address = unsafe { libc::dlsym(self.handle.as_ptr(), name.as_ptr()) };
        (place_of(address)?.dli_fbase == self.base).then_some(address)
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and this reference to it is ours. The host keeps its library
        // loaded.
        unsafe { libc::dlclose(self.handle.as_ptr()) };
    }
}

/// The file that contains an address.
fn place_of(address: *const c_void) -> Option<libc::Dl_info> {
    let mut place = MaybeUninit::zeroed();
    // SAFETY: any address is allowed, and there is room for the result, which is initialized if the
    // function does not return 0.
    unsafe { (libc::dladdr(address, place.as_mut_ptr()) != 0).then(|| place.assume_init()) }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        // `getpid` can be reached from the program, but is not defined in it.
        assert_eq!(here.symbol(c"getpid"), None);
    }
}
