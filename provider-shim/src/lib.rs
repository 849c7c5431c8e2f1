//! `akv_provider`: an OpenSSL 3 provider for keys in Azure Key Vault and Managed HSM.
//!
//! The module exports one symbol, `OSSL_provider_init`. It links no libcrypto: it speaks to the
//! one that loads it through the upcalls of the provider interface, so one binary serves every
//! OpenSSL from 3.0 to 4.x, and HTTPS to the service never enters the host's libcrypto.
//!
//! libcrypto gets the tables of [`dispatch`], which lists the operations; each of them stands on
//! the context of [`provider`] and the objects of [`key`].
//!
//! | module | operation |
//! |---|---|
//! | [`store`] | `vault:…`, `managedhsm:…`, `akv:…` and `engine:…` URIs to keys, certificates, lists of keys |
//! | [`decoder`], [`encoder`] | key files to keys and back; public keys in the usual forms |
//! | [`keymgmt`] | RSA and EC keys: what they are, import and export of public keys, making them |
//! | [`signature`] | signing in the vault, verifying here |
//! | [`asym_cipher`] | decrypting in the vault, encrypting here |
//! | [`symmetric`] | AES keys of a Managed HSM: wrapping and unwrapping keys |
//!
//! [`precedence`] sees to it that the host's other keys stay with the host's other providers, and
//! [`children`] that they do so in child contexts. Where we have to make them all the same, they are
//! [`foreign`], and TLS learns of groups for them from [`capabilities`]. Programs that want an `RSA` or
//! an `EC_KEY` of a key get it from [`legacy`]. [`fips`] is for hosts that ask for validated modules
//! only.

mod algorithm_id;
mod asym_cipher;
mod capabilities;
mod children;
mod curve;
mod decoder;
mod digest;
mod dispatch;
mod encoder;
mod error;
mod fips;
mod foreign;
mod handover;
mod importers;
mod key;
mod key_type;
mod keymgmt;
mod legacy;
mod new_key;
mod precedence;
mod provider;
mod rsa_public;
mod selection;
mod signature;
mod store;
mod symmetric;

/// No buffer of this module, or of the libraries in it, leaves a token or a plaintext behind.
#[global_allocator]
static ALLOCATOR: ossl_abi::Wiping = ossl_abi::Wiping;
