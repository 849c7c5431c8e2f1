//! Hosts that forbid themselves threads, and hosts that close descriptors that are not theirs.

mod descriptors;
mod dovecot;
mod haproxy;
mod stage;
mod threads;
