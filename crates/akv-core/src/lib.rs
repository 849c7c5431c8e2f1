//! Sign and decrypt with private keys that never leave Azure Key Vault or Azure Managed HSM.
//!
//! A [`KeyReference`] names a key (`vault:myVault:myKey`), [`Settings`] say how to reach the
//! service, a [`Client`] opens [`Key`]s, and a key signs and decrypts in the vault while its public
//! half is used locally. [`blocking`] is the same for programs without an async runtime; it is
//! what the OpenSSL modules stand on, and it survives `fork`.
//!
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod algorithm;

mod cloud;

pub mod ecdsa;
mod error;

mod key_file;

mod public_key;
mod reference;

pub mod settings;

pub use algorithm::{EncryptionAlgorithm, SignatureAlgorithm};

pub use cloud::{Cloud, VaultKind};
pub use error::{Error, ErrorKind, Result};

pub use key_file::KeyFile;
pub use public_key::{Curve, EcPublicKey, PublicKey, RsaPublicKey};
pub use reference::KeyReference;
pub use settings::Settings;
