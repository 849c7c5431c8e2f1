//! The `openssl` program with keys in the vault; plain OpenSSL verifies its results.

mod allowed_keys;
mod cancellation;
mod certificates;
mod contexts;
mod decryption;
mod files;
mod fips;
mod foreign;
mod genpkey;
mod key_files;
mod keys;
mod lengths;
mod matrix;
mod messages;
mod old_structures;
mod opaque_keys;
mod pkeyutl;
mod pki;
mod preferred;
mod residue;
mod signatures;
mod stack;
mod store;
mod stored_certificates;
mod symmetric;
