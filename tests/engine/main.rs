//! The ENGINE: the real `openssl` program and C programs with keys in the vault, results checked
//! by OpenSSL without the engine. `AKV_TEST_OPENSSL` selects the OpenSSL: 1.1.1 or 3.x.
//!
//! `memory` is a target of its own.

mod allowed_keys;
mod cancellation;
mod commands;
mod errors;
mod foreign;
mod jobs;
mod key_files;
mod lengths;
mod module;
mod nginx;
mod programs;
mod residue;
mod settings;
mod stack;
mod tls;
