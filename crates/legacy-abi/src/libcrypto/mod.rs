//! The libcrypto of the host, 1.1.1 to 4.x: its types, numbers and functions, found at run time.
//!
//! Nothing is linked. The functions are looked up in the library around an address that the host
//! passes, so that it also works where libcrypto was opened `RTLD_LOCAL`, and where there are two.

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
pub use self::pkey_method::copy_of_own;
