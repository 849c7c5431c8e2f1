//! The ABI between libcrypto 3.0 … 4.x and a provider, written by hand: links nothing.
//!
//! A provider and libcrypto exchange tables of numbered function pointers ([`Dispatch`], ids in
//! [`functions`]) and arrays of named values ([`Param`], names in [`names`]). Between 3.0 and 4.x
//! no id and no prototype changed, ids were only added, and cores ignore ids that they do not
//! know. So a module that speaks to its host through these tables alone loads in all of them,
//! whether libcrypto is shared, opened `RTLD_LOCAL` or linked into the program.
//!
//! - [`types`]: the C structures; [`constants`]: the headers' numbers.
//! - [`functions`]: every function id with the prototype that it stands for; a table entry is made
//!   with [`FunctionId::entry`](functions::FunctionId::entry), which takes nothing but a function
//!   of that prototype. The tests hold ids and prototypes against OpenSSL's headers.
//! - [`params`]: reading, writing and building parameter arrays.
//! - [`host`]: the upcalls: the host's settings, its error queue, its BIOs; and fetches and keys of
//!   other providers, for which there is no upcall.
//! - [`entry!`]: how the functions in a table are declared.
//! - [`guard`]: the boundary that every one of them goes through; the ENGINE module has it too, and
//!   [`library`], which finds functions of a libcrypto that is loaded.
#![deny(missing_docs)]

pub mod constants;
pub mod entry;
pub mod functions;
pub mod guard;
pub mod host;
pub mod library;
pub mod names;
pub mod params;
pub mod types;

/// The allocator of modules.
pub use c_abi::Wiping;

pub use self::{
    guard::{Failure, Output},
    host::Host,
    types::{Algorithm, CoreBio, CoreHandle, Dispatch, Item, Param},
};

#[cfg(test)]
mod header_tests;
