//! The libcrypto that loaded the engine: 1.1.1 or 3.x, found at run time.
//!
//! Nothing is linked. What libcrypto passes to `bind_engine` has an address of its own; the library
//! around that address is the one whose functions are looked up, so that it also works where it was
//! opened `RTLD_LOCAL`, and where there are two of them.

pub(crate) mod constants;
mod errors;
mod functions;
#[cfg(test)]
mod header_tests;
mod owned;
mod pkey_method;
pub(crate) mod types;

pub(crate) use self::errors::Errors;
pub(crate) use self::functions::{ErrorFunctions, Functions, Missing};
pub(crate) use self::owned::Owned;
pub(crate) use self::pkey_method::copy_of_own;
