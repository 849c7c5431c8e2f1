//! Objects of libcrypto that are ours until they are handed on.

use crate::error::{Error, Result};
use ossl_abi::guard::Return;
use std::ptr::{self, NonNull};

/// An object with the function that frees it.
pub struct Owned<T> {
    object: NonNull<T>,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// What a function of libcrypto has just made.
    ///
    /// # Errors
    /// Nothing: a null pointer. `function` is named.
    ///
    /// # Safety
    /// `object` is null or an object that nobody else frees, and that `free` does.
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

    /// Hands it on to somebody who frees it.
    pub fn into_raw(self) -> *mut T {
        let object = self.object.as_ptr();
        std::mem::forget(self);
        object
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: `new`'s caller vouched for the pair, and nobody else has the object.
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
