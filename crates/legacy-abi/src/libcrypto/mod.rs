//! The host's libcrypto, 1.1.1 to 4.x: its types, constants and functions, found at run time.
//!
//! Nothing is linked. The functions are looked up in the library that contains an address passed by
//! the host, which also works if libcrypto was opened with `RTLD_LOCAL` or is loaded twice.

pub mod constants;
mod errors;
mod functions;
#[cfg(test)]
mod header_tests;
mod owned;
mod pkey_method;
pub mod types;

pub use self::errors::Errors;
pub use self::functions::{EngineFunctions, ErrorFunctions, KeyFunctions, Missing};
pub use self::owned::Owned;
pub use self::pkey_method::duplicate_method;
