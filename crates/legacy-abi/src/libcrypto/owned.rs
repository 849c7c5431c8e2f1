//! libcrypto's objects that we own until we pass them on.

use std::ptr::{self, NonNull};

use ossl_abi::guard::Return;

use crate::error::{Error, Result};

/// An object and the function that frees it.
pub struct Owned<T> {
    object: NonNull<T>,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// Takes ownership of an object that a function of libcrypto returned.
    ///
    /// # Errors
    /// The object is null; the error names `function`.
    ///
    /// # Safety
    /// `object` is null or an object that nothing else frees and that `free` can free.
    pub unsafe fn new(
        object: *mut T,
        free: unsafe extern "C" fn(*mut T),
        function: &str,
    ) -> Result<Self> {
        let object = NonNull::new(object).ok_or_else(|| Error::libcrypto(function))?;
        Ok(Self { object, free })
    }

    pub fn as_ptr(&self) -> *mut T {
        self.object.as_ptr()
    }

    /// Releases ownership of the object.
    pub fn into_raw(self) -> *mut T {
        let object = self.object.as_ptr();
        std::mem::forget(self);
        object
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the caller of `new` guarantees that they match, and nothing else uses the object.
        unsafe { (self.free)(self.object.as_ptr()) };
    }
}

impl<T> Return for Owned<T> {
    type Raw = *mut T;
    const FAILED: *mut T = ptr::null_mut();
    fn into_raw(self) -> *mut T {
        Self::into_raw(self)
    }
}
