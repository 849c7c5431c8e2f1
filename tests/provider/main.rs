//! The provider: the `openssl` program and C programs with keys in the vault. Plain OpenSSL
//! verifies their results.
//!
//! `tls`, `abi`, `memory` and `host_names` are targets of their own.

mod allowed_keys;
mod cancellation;
mod certificates;
mod composite_signatures;
mod contexts;
mod counts;
mod decoder;
mod decryption;
mod errors;
mod fips;
mod foreign;
mod genpkey;
mod incomplete;
mod jobs;
mod key_files;
mod keys;
mod lengths;
mod module;
mod old_structures;
mod opaque_keys;
mod pkeyutl;
mod pki;
mod preferred;
mod residue;
mod signatures;
mod stack;
mod store;
mod store_certificates;
mod symmetric;
