//! How the provider behaves in the processes of hosts: exit, unloading, `chroot`, processes that may
//! not start threads, and processes that close descriptors that they did not open.
//!
//! `fork` and `warm` are targets of their own.

mod chroot;
mod descriptors;
mod exit;
mod lifecycle;
mod no_threads;
