//! Sign and decrypt with private keys that never leave Azure Key Vault or Azure Managed HSM.
//!
//! A [`KeyReference`] names a key (`vault:myVault:myKey`), [`Settings`] say how to reach the
//! service, a [`Client`] opens [`Key`]s, and a key signs and decrypts in the vault while its public
//! half is used locally. [`blocking`] is the same for programs without an async runtime; it is
//! what the OpenSSL modules stand on, and it survives `fork`.
//!
//! ```no_run
//! use akv_core::{Settings, SignatureAlgorithm, blocking::Client};
//!
//! # fn main() -> Result<(), akv_core::Error> {
//! let client = Client::new(Settings::from_environment()?);
//! let key = client.key(&client.reference("vault:myVault:myKey")?)?;
//! let digest = [0u8; 32]; // SHA-256 of the message
//! let signature = key.sign(SignatureAlgorithm::Rs256, &digest)?;
//! key.public_key().verify_digest(SignatureAlgorithm::Rs256, &digest, &signature)?;
//! # Ok(())
//! # }
//! ```
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod algorithm;
pub mod blocking;
mod client;
mod client_certificate;
mod cloud;
mod credential;
pub mod ecdsa;
mod error;
mod key;
mod key_file;
pub mod logging;
mod operation;
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
#[cfg(feature = "x509")]
pub mod x509;

pub use algorithm::{
    CbcAlgorithm, EncryptionAlgorithm, GcmAlgorithm, KeyWrapAlgorithm, SignatureAlgorithm,
};
pub use client::Client;
pub use cloud::{Cloud, VaultKind};
pub use error::{Error, ErrorKind, Result};
pub use key::{
    AnyKey, GcmCiphertext, Key, KeyAttributes, KeyOperation, KeyType, SymmetricKey, VaultKey,
};
pub use key_file::KeyFile;
pub use public_key::{Curve, EcPublicKey, PublicKey, RsaPublicKey};
pub use reference::KeyReference;
pub use settings::Settings;
pub use vault::{AesSize, KeyItem, KeyList, NewKey, RsaSize, Vault};
