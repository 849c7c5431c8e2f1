//! The ABI between a provider and libcrypto 3.0 … 4.x. It is declared by hand and links nothing.
//!
//! A provider and libcrypto exchange tables of numbered function pointers ([`Dispatch`], ids in
//! [`functions`]) and arrays of named values ([`Param`], names in [`names`]). From 3.0 to 4.x ids
//! were only added; no id or prototype changed, and cores ignore unknown ids. A module that uses
//! only these tables therefore loads in all of these versions, whether libcrypto is shared, opened
//! with `RTLD_LOCAL` or linked into the program.
//!
//! - [`types`]: the C structures; [`constants`]: the headers' constants.
//! - [`functions`]: every function id with its prototype.
//!   [`FunctionId::entry`](functions::FunctionId::entry) builds a table entry and accepts only a
//!   function of that prototype. The tests compare ids and prototypes with OpenSSL's headers.
//! - [`params`]: reading, writing and building parameter arrays.
//! - [`host`]: the upcalls for settings, the error queue and BIOs; also fetching algorithms and
//!   using keys of other providers, for which there is no upcall.
//! - [`job`]: pausing ASYNC jobs instead of blocking threads.
//! - [`entry!`]: declares the functions of a table.
//! - [`guard`]: the boundary around each of them. The ENGINE module uses it too, as well as
//!   [`library`], which finds functions of a loaded libcrypto.
#![deny(missing_docs)]

pub mod constants;
pub mod entry;
pub mod functions;
pub mod guard;
pub mod host;
pub mod job;
pub mod library;
pub mod names;
pub mod params;
pub mod types;

/// The allocator of our modules.
pub use c_abi::Wiping;

pub use self::{
    guard::{Failure, Output},
    host::Host,
    types::{Algorithm, CoreBio, CoreHandle, Dispatch, Item, Param},
};

#[cfg(test)]
mod header_tests;
