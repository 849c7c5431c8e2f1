//! Symmetric (AES) keys of a Managed HSM.
//!
//! | module | what |
//! |---|---|
//! | [`keymgmt`], [`asym_cipher`] | the key as an `EVP_PKEY` that encrypts and decrypts other keys, in every release |
//! | [`skeymgmt`], [`cipher`] | the key as an opaque `EVP_SKEY` and its ciphers, from OpenSSL 3.5 on |
//!
//! The type of such keys is ours alone, so no other provider's can be mistaken for it.

pub(crate) mod asym_cipher;
pub(crate) mod cipher;
pub(crate) mod keymgmt;
pub(crate) mod skeymgmt;
