//! Symmetric (AES) keys of a Managed HSM.
//!
//! | module | content |
//! |---|---|
//! | [`keymgmt`], [`asym_cipher`] | the key as an `EVP_PKEY` that encrypts and decrypts other keys, in every release |
//! | [`skeymgmt`], [`cipher`] | the key as an opaque `EVP_SKEY` and its ciphers, since OpenSSL 3.5 |
//!
//! The key type is our own, so it cannot be confused with that of another provider.

pub(crate) mod asym_cipher;
pub(crate) mod cipher;
pub(crate) mod keymgmt;
pub(crate) mod skeymgmt;
