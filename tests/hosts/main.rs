//! Servers and clients of another system, Debian 11 with OpenSSL 1.1.1, with keys in the vault.
//! `cargo xtask hosts --debian11` makes the system and runs these; nothing else does.

mod apache;
mod curl;
mod haproxy;
mod module;
mod nginx;
mod node;
mod openssl;
mod stage;
mod stunnel;
