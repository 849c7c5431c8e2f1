//! The state of one process: values that a child of `fork` recreates, and the runtime that runs
//! operations.

pub(crate) mod driver;
mod per_process;
pub(crate) mod primitives;

pub(crate) use self::{
    driver::runs_in_background,
    per_process::{Current, PerProcess},
};
