//! libcrypto's functions for which there are no upcalls.
//!
//! They are looked up in exactly the libcrypto that loads the provider. They cannot be found in a
//! program that links libcrypto statically and exports nothing.

use std::ffi::c_void;

use super::Host;
use crate::job::Jobs;
use crate::library::Library;
use crate::types::CoreContext;

/// Declares a table of functions with their names and prototypes, which must match libcrypto's
/// functions in every release. `find` looks up all of them.
macro_rules! libcrypto_functions {
    ($($field:ident = $symbol:literal: $type:ty;)*) => {
        /// libcrypto's functions.
        struct Functions {
            $($field: $type,)*
        }

        impl Functions {
            fn find(library: &$crate::library::Library) -> Option<Self> {
                Some(Self {
                    $(
                        // SAFETY: this is libcrypto's function of that name and prototype.
                        $field: unsafe {
                            std::mem::transmute::<*mut std::ffi::c_void, $type>(
                                library.symbol($symbol)?,
                            )
                        },
                    )*
                })
            }
        }
    };
}
pub(super) use libcrypto_functions;

impl Host {
    /// This host's libcrypto.
    pub(super) fn libcrypto(&self) -> Option<Library> {
        Library::of(self.get_params? as *const c_void)
    }

    /// The functions for ASYNC jobs, if this host exports them.
    pub fn jobs(&self) -> Option<Jobs> {
        Jobs::of(&self.libcrypto()?)
    }

    /// The library context that the provider was loaded into, in the form that libcrypto's
    /// functions accept.
    pub(super) fn library_context(&self) -> Option<*mut CoreContext> {
        // SAFETY: the function is the core's and takes its handle.
        self.get_context.map(|get_context| unsafe { get_context(self.handle) })
    }
}
