//! Hosts that forbid threads for themselves, and hosts that close descriptors that they did not
//! open.

mod descriptors;
mod dovecot;
mod haproxy;
mod stage;
mod threads;
