//! Clients that sign, in this process.

pub(crate) mod bare;
pub(crate) mod library;
