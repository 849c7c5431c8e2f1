//! Parameter arrays: reading those from the host, filling in those it requests, and building new
//! ones.
//!
//! Unknown names are never an error. A value of the wrong type, or one that does not fit, is.

mod build;
pub(crate) mod integer;
mod read;
mod write;

pub use self::{
    build::{ParamArray, Values},
    read::{Params, Value},
    write::{Answers, Natural},
};

use std::ffi::CStr;
use std::fmt;

/// A parameter that cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamError {
    name: String,
    reason: &'static str,
}

impl ParamError {
    pub(crate) fn new(name: &CStr, reason: &'static str) -> Self {
        Self { name: name.to_string_lossy().into_owned(), reason }
    }
}

impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "parameter '{}': {}", self.name, self.reason)
    }
}

impl std::error::Error for ParamError {}
