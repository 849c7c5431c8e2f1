//! Operations that are started and left, by what they belong to.

mod client;
mod key;
mod list;
