//! The provider with programs of this machine's system, which is Debian 12 or similar. They are
//! linked with the system's OpenSSL.
//!
//! `postgresql` is a target of its own.

mod dovecot;
mod haproxy;
mod nginx;
mod node;
mod openssh;
mod perl;
mod python;
mod ruby;
mod scene;
mod stage;
