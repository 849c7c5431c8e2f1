//! What belongs to one process: values that a child of `fork` makes anew, and the runtime that
//! carries operations out.

pub(crate) mod driver;
mod per_process;
pub(crate) mod primitives;

pub(crate) use self::{
    driver::is_attended,
    per_process::{Current, PerProcess},
};
