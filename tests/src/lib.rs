//! Code shared by the end-to-end tests and the demo: the built modules, the embedded vault with the
//! configuration that points a program at it, a real `openssl` and `nginx`, and commands with time
//! limits.
#![forbid(unsafe_code)]

pub mod aws_lc;
pub mod cc;
pub mod client;
pub mod docs;
pub mod elf;
pub mod engine;
pub mod glibc;
pub mod installation;
pub mod jobs;
pub mod lengths;
pub mod modules;
pub mod namespace;
pub mod nginx;
pub mod openssl;
pub mod port;
pub mod process;
pub mod residue;
pub mod root;
pub mod server;
pub mod site;
pub mod stack;
pub mod warm;

pub use crate::{
    client::{Client, Handshake},
    glibc::Glibc,
    installation::Installation,
    nginx::Nginx,
    openssl::OpenSsl,
    process::{Output, Task},
    root::Root,
    server::Server,
    site::Site,
};
