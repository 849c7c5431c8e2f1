//! Digests computed by the host's providers.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr::{self, NonNull};
use std::sync::Arc;

use super::{Host, libcrypto_functions};
use crate::types::{CoreContext, Param};

type Algorithm = *mut c_void;
type Context = *mut c_void;

/// `EVP_MAX_MD_SIZE`.
const MAX_LEN: usize = 64;

libcrypto_functions! {
    fetch = c"EVP_MD_fetch":
        unsafe extern "C" fn(*mut CoreContext, *const c_char, *const c_char) -> Algorithm;
    free_algorithm = c"EVP_MD_free": unsafe extern "C" fn(Algorithm);
    new_context = c"EVP_MD_CTX_new": unsafe extern "C" fn() -> Context;
    free_context = c"EVP_MD_CTX_free": unsafe extern "C" fn(Context);
    copy = c"EVP_MD_CTX_copy_ex": unsafe extern "C" fn(Context, Context) -> c_int;
    init = c"EVP_DigestInit_ex2":
        unsafe extern "C" fn(Context, Algorithm, *const Param) -> c_int;
    update = c"EVP_DigestUpdate": unsafe extern "C" fn(Context, *const c_void, usize) -> c_int;
    finish = c"EVP_DigestFinal_ex": unsafe extern "C" fn(Context, *mut u8, *mut c_uint) -> c_int;
}

/// A running digest. It has no context after a step failed.
pub struct HostDigest {
    functions: Arc<Functions>,
    context: Option<NonNull<c_void>>,
}

// SAFETY: any thread may use the context, but only one at a time.
unsafe impl Send for HostDigest {}
// SAFETY: through a shared reference it can only be copied, which does not change it.
unsafe impl Sync for HostDigest {}

impl Host {
    /// Starts a digest of a provider with these properties. `None` if there is none, or if
    /// libcrypto's functions cannot be found.
    pub fn digest(&self, name: &CStr, properties: &CStr) -> Option<HostDigest> {
        let functions = Arc::new(Functions::find(&self.libcrypto()?)?);
        let library_context = self.library_context()?;
        let begin = || {
            // SAFETY: the library context is alive and the names are C strings. The digest context
            // holds its own reference to the algorithm, and ours is freed once.
            unsafe {
                let algorithm =
                    (functions.fetch)(library_context, name.as_ptr(), properties.as_ptr());
                if algorithm.is_null() {
                    return None;
                }
                let digest = HostDigest::new(Arc::clone(&functions));
                let begun = digest.context.is_some_and(|context| {
                    (functions.init)(context.as_ptr(), algorithm, ptr::null()) == 1
                });
                (functions.free_algorithm)(algorithm);
                begun.then_some(digest)
            }
        };
        self.quietly(begin)
    }
}

impl HostDigest {
    fn new(functions: Arc<Functions>) -> Self {
        // SAFETY: the function has no arguments.
        let context = NonNull::new(unsafe { (functions.new_context)() });
        Self { functions, context }
    }

    /// Adds data to the message.
    pub fn update(&mut self, data: &[u8]) {
        let added = self.context.is_some_and(|context| {
            // SAFETY: the context is ours, and the data has the stated length.
            unsafe {
                (self.functions.update)(context.as_ptr(), data.as_ptr().cast(), data.len()) == 1
            }
        });
        if !added {
            self.drop_context();
        }
    }

    /// The digest; `None` if a step failed.
    pub fn finish(self) -> Option<Vec<u8>> {
        let context = self.context?;
        let mut room = vec![0; MAX_LEN];
        let mut len: c_uint = 0;
        // SAFETY: the context is ours, and there is room for the longest digest.
        let done =
            unsafe { (self.functions.finish)(context.as_ptr(), room.as_mut_ptr(), &mut len) == 1 };
        room.truncate(usize::try_from(len).ok()?);
        done.then_some(room)
    }

    fn drop_context(&mut self) {
        if let Some(context) = self.context.take() {
            // SAFETY: the context is ours and is freed once.
            unsafe { (self.functions.free_context)(context.as_ptr()) };
        }
    }
}

impl Clone for HostDigest {
    fn clone(&self) -> Self {
        let mut copy = Self::new(Arc::clone(&self.functions));
        let copied = match (copy.context, self.context) {
            // SAFETY: both contexts are alive, and nothing else uses the copy.
            (Some(to), Some(from)) => unsafe {
                (self.functions.copy)(to.as_ptr(), from.as_ptr()) == 1
            },
            _ => false,
        };
        if !copied {
            copy.drop_context();
        }
        copy
    }
}

impl Drop for HostDigest {
    fn drop(&mut self) {
        self.drop_context();
    }
}
