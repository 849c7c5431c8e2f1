//! The engine with servers and clients of another system, Debian 11 with OpenSSL 1.1.1. Only
//! `cargo xtask hosts --debian11` creates the system and runs these.

mod apache;
mod curl;
mod haproxy;
mod module;
mod nginx;
mod node;
mod openssl;
mod stage;
mod stunnel;
