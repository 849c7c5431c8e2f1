//! `akv_provider`: an OpenSSL 3 provider for keys in Azure Key Vault and Managed HSM.
//!
//! The module exports one symbol, `OSSL_provider_init`. It links no libcrypto: it uses the upcalls
//! of the libcrypto that loads it. One binary therefore serves every OpenSSL from 3.0 to 4.x, and
//! HTTPS to the service does not use the host's libcrypto.
//!
//! libcrypto gets the tables of [`dispatch`], which lists the operations. Each operation uses the
//! context of [`provider`] and the objects of [`key`].
//!
//! | module | operation |
//! |---|---|
//! | [`store`] | `vault:…`, `managedhsm:…`, `akv:…` and `engine:…` URIs to keys, certificates, lists of keys |
//! | [`decoder`], [`encoder`] | key files to keys and back; public keys in the usual formats |
//! | [`keymgmt`] | RSA and EC keys: parameters, import and export of public keys, key generation |
//! | [`signature`] | signing in the vault, local verification |
//! | [`asym_cipher`] | decryption in the vault, local encryption |
//! | [`symmetric`] | AES keys of a Managed HSM: wrapping and unwrapping keys |
//!
//! [`precedence`] makes sure that the host's other keys stay with the host's other providers, and
//! [`children`] does the same in child contexts. If we have to generate such keys anyway, they are
//! [`foreign`], and TLS gets their groups from [`capabilities`]. Programs that need an `RSA` or an
//! `EC_KEY` of a key get it from [`legacy`]. [`fips`] is for hosts that require validated modules.

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

/// Zeroes all freed memory of this module and its libraries, so that no token or plaintext stays
/// behind.
#[global_allocator]
static ALLOCATOR: ossl_abi::Wiping = ossl_abi::Wiping;
