//! Work with keys that never leave Azure Key Vault or Azure Managed HSM.
//!
//! A [`KeyReference`] names a key (`vault:myVault:myKey`), [`Settings`] say how to reach the
//! service, a [`Client`] opens [`Key`]s, and a key signs, decrypts and unwraps in the vault while
//! its public half is used locally. [`SymmetricKey`]s of a Managed HSM have a type of their own. A
//! [`Vault`] lists, makes and rotates keys.
//!
//! ```no_run
//! use akv_core::{Settings, SignatureAlgorithm, blocking::Client};
//!
//! # fn main() -> Result<(), akv_core::Error> {
//! let client = Client::new(Settings::from_environment()?);
//! let key = client.key(&client.reference("vault:myVault:myKey")?)?;
//! let digest = [0u8; 32]; // SHA-256 of the message
//! let signature = key.sign(SignatureAlgorithm::Rs256, &digest)?;
//! key.verify(SignatureAlgorithm::Rs256, &digest, &signature)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Async and blocking
//! The types of this module are async and run on the caller's tokio runtime, which must have time
//! and I/O enabled. [`blocking`] has the same for programs without one; it is what the OpenSSL
//! modules stand on, and it survives `fork`.
//!
//! # What an operation may take
//! An operation, with its token, connection and all retries, ends within the setting `timeout`.
//! Passing failures are ridden out inside it. What cannot succeed, a digest of a wrong length or an
//! algorithm of another kind of key, is refused before any request. [`Error`] says in one line what
//! was asked, what happened and what to do.
//!
//! # Features
//! All are off by default.
//!
//! | feature | gives |
//! |---|---|
//! | `signature` | module `signature`: the traits of RustCrypto's `signature` crate |
//! | `x509` | module `x509`: certificates and requests for them, by the builders of `x509-cert` |
//! | `rustls` | module `tls`: keys for rustls's servers and clients |
//!
//! The repository's `examples` folder has a program for each, which run against an embedded vault.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod algorithm;
pub mod blocking;
mod client;
mod client_certificate;
mod cloud;
mod counters;
mod credential;
pub mod ecdsa;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod hedge;
mod key;
mod key_file;
pub mod logging;
mod operation;
mod per_process;
mod primitives;
mod public_key;
mod reference;
mod runtime;
pub mod settings;
#[cfg(feature = "signature")]
pub mod signature;
#[cfg(feature = "rustls")]
pub mod tls;
mod token;
mod transport;
mod vault;
mod vault_client;
#[cfg(feature = "x509")]
pub mod x509;

pub use algorithm::{
    CbcAlgorithm, EncryptionAlgorithm, GcmAlgorithm, KeyWrapAlgorithm, SignatureAlgorithm,
};
pub use client::Client;
pub use cloud::{Cloud, VaultKind};
pub use counters::Counters;
pub use error::{Error, ErrorKind, Result};
pub use key::{
    AnyKey, GcmCiphertext, Key, KeyAttributes, KeyOperation, KeyType, SymmetricKey, VaultKey,
};
pub use key_file::KeyFile;
pub use public_key::{Curve, EcPublicKey, PublicKey, RsaPublicKey};
pub use reference::KeyReference;
pub use settings::Settings;
pub use vault::{AesSize, KeyItem, KeyList, NewKey, RsaSize, Vault};
