//! The C interface, `libakv`.
//!
//! Not a library for C yet: nothing is exported, and no `libakv.so` is built. What is here is the
//! table of result codes that its functions will return.

mod codes;

pub use codes::Code;
