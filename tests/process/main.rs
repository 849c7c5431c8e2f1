//! The provider in processes of every kind: they exit, unload it, change their root directory, may
//! not start threads, or close descriptors that they did not open.
//!
//! `fork` and `warm` are targets of their own.

mod chroot;
mod descriptors;
mod exit;
mod lifecycle;
mod no_threads;
