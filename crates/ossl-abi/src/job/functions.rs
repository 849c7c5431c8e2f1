//! libcrypto's functions for ASYNC jobs.

use std::ffi::{CStr, c_int, c_void};
use std::mem::transmute;

use crate::library::Library;
use crate::types::AsyncCallback;

pub(super) type Job = c_void;
pub(super) type WaitContext = c_void;
pub(super) type CleanupFn =
    unsafe extern "C" fn(*mut WaitContext, *const c_void, c_int, *mut c_void);

/// Declares libcrypto's functions with their names and prototypes.
macro_rules! functions {
    (
        required { $($required:ident = $required_symbol:literal: $required_type:ty;)* }
        optional { $($optional:ident = $optional_symbol:literal: $optional_type:ty;)* }
    ) => {
        /// The functions of a libcrypto for ASYNC jobs.
        #[derive(Clone, Copy)]
        pub struct Jobs {
            $(pub(super) $required: $required_type,)*
            $(pub(super) $optional: Option<$optional_type>,)*
        }

        /// The functions with their Rust types, to be compared with the headers.
        #[cfg(test)]
        pub(crate) const PROTOTYPES: &[(&CStr, &str)] = &[
            $(($required_symbol, stringify!($required_type)),)*
            $(($optional_symbol, stringify!($optional_type)),)*
        ];

        impl Jobs {
            /// The functions of this libcrypto; `None` if it does not export them.
            pub fn of(library: &Library) -> Option<Self> {
                let find = |symbol: &CStr| library.symbol(symbol);
                Some(Self {
                    $(
                        // SAFETY: this is libcrypto's function of that name and prototype.
                        $required: unsafe {
                            transmute::<*mut c_void, $required_type>(find($required_symbol)?)
                        },
                    )*
                    $(
                        $optional: find($optional_symbol).map(|function| {
                            // SAFETY: as above.
                            unsafe { transmute::<*mut c_void, $optional_type>(function) }
                        }),
                    )*
                })
            }
        }
    };
}

functions! {
    // The same since 1.1.0.
    required {
        get_current_job = c"ASYNC_get_current_job": unsafe extern "C" fn() -> *mut Job;
        get_wait_ctx = c"ASYNC_get_wait_ctx": unsafe extern "C" fn(*mut Job) -> *mut WaitContext;
        pause_job = c"ASYNC_pause_job": unsafe extern "C" fn() -> c_int;
        get_fd = c"ASYNC_WAIT_CTX_get_fd": unsafe extern "C" fn(
            *mut WaitContext, *const c_void, *mut c_int, *mut *mut c_void,
        ) -> c_int;
        set_wait_fd = c"ASYNC_WAIT_CTX_set_wait_fd": unsafe extern "C" fn(
            *mut WaitContext, *const c_void, c_int, *mut c_void, CleanupFn,
        ) -> c_int;
        clear_fd = c"ASYNC_WAIT_CTX_clear_fd":
            unsafe extern "C" fn(*mut WaitContext, *const c_void) -> c_int;
    }
    // From 3.0 on.
    optional {
        get_callback = c"ASYNC_WAIT_CTX_get_callback": unsafe extern "C" fn(
            *mut WaitContext, *mut AsyncCallback, *mut *mut c_void,
        ) -> c_int;
        set_status = c"ASYNC_WAIT_CTX_set_status":
            unsafe extern "C" fn(*mut WaitContext, c_int) -> c_int;
    }
}
