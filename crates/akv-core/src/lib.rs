//! Work with keys that never leave Azure Key Vault or Azure Managed HSM.
//!
//! A [`KeyReference`] names a key (`vault:myVault:myKey`), [`Settings`] define how to reach the
//! service, and a [`Client`] opens [`Key`]s. A key signs, decrypts and unwraps in the vault; its
//! public half is used locally. [`SymmetricKey`]s of a Managed HSM have their own type. A [`Vault`]
//! lists, creates and rotates keys.
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
//! and I/O enabled. [`blocking`] has the same types for programs without a runtime; the OpenSSL
//! modules use it.
//!
//! ```no_run
//! # async fn example(client: akv_core::Client, ciphertext: &[u8]) -> akv_core::Result<()> {
//! use akv_core::EncryptionAlgorithm::RsaOaep256;
//!
//! let key = client.key(&client.reference("managedHsm:myHsm:myKey")?).await?;
//! let plaintext = key.decrypt(RsaOaep256, ciphertext).await?; // wiped when it is dropped
//! # Ok(())
//! # }
//! ```
//!
//! # Settings and credentials
//! [`Settings::from_environment`] reads the variables of the Azure SDKs and of this library.
//! [`Settings::builder`] accepts the same settings by name, and [`settings::OPTIONS`] lists them.
//! The setting [`CredentialKind`](settings::CredentialKind) selects the source of tokens: by
//! default the first that works. Credentials, tokens and connections belong to the [`Client`]; use
//! one client for the whole program.
//!
//! ```
//! use akv_core::{Client, Settings};
//!
//! let settings = Settings::builder()
//!     .option("credential", "managed-identity")?
//!     .option("timeout", "3s")?
//!     .build()?;
//! let client = Client::new(settings);
//! # Ok::<(), akv_core::Error>(())
//! ```
//!
//! # Key files
//! A [`KeyFile`] takes the place of a private key file. It names the key and contains no secret. If
//! it contains version and public half, the key is opened without a request.
//!
//! ```no_run
//! # fn example(client: akv_core::blocking::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use akv_core::KeyFile;
//!
//! let file = KeyFile::from_pem(&std::fs::read("site.key")?)?.ok_or("site.key is not a key file")?;
//! let key = client.key_from_file(&file)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Deadlines
//! An operation, with its token, connection and all retries, ends within the setting `timeout`, 10
//! seconds by default. Transient failures are retried within it. Operations that cannot succeed,
//! such as a digest of the wrong length or an algorithm of another kind of key, are refused before
//! any request.
//!
//! # Errors
//! [`Error`] prints in one line the operation, what happened and what to do. Programs can use its
//! [`kind`](Error::kind), and [`status`](Error::status) and [`code`](Error::code) if the service
//! responded.
//!
//! ```no_run
//! # fn example(client: akv_core::blocking::Client) -> akv_core::Result<()> {
//! use akv_core::ErrorKind;
//!
//! match client.key(&client.reference("vault:myVault:myKey")?) {
//!     Ok(key) => println!("{} bits", key.public_key().bits()),
//!     Err(error) if error.kind() == ErrorKind::Timeout => println!("try again later: {error}"),
//!     Err(error) if error.status() == Some(404) => println!("there is no such key"),
//!     Err(error) => return Err(error),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Processes that fork
//! A client and its keys may be created in one process and used in its children, as servers do.
//! Each process has its own connections, and with [`blocking`] its own runtime, created by the
//! first operation that needs them. None of them is shared, and no lock can be left behind; tokens
//! are inherited. Creating a client, and opening the key of a complete key file, starts no thread.
//!
//! # Features
//! All are off by default.
//!
//! | feature | adds |
//! |---|---|
//! | `signature` | module `signature`: the traits of RustCrypto's `signature` crate |
//! | `x509` | module `x509`: certificates and certificate requests, with the builders of `x509-cert` |
//! | `probe` | module `probe`: the connection to a vault, step by step, with the time of each step |
//! | `rustls` | module `tls`: keys for rustls's servers and clients |
//!
//! The repository's `examples` folder has a program for each. They run against an embedded vault.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod algorithm;
pub mod blocking;
mod client;
mod counters;
mod credential;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod interop;
mod key;
pub mod logging;
mod outside;
#[cfg(feature = "probe")]
pub mod probe;
mod process;
mod public_key;
mod reference;
mod session;
pub mod settings;
mod transport;
mod vault;

pub use algorithm::{
    CbcAlgorithm, Curve, DigestAlgorithm, EncryptionAlgorithm, GcmAlgorithm, KeyWrapAlgorithm,
    OaepParameters, PssParameters, PssSalt, SignatureAlgorithm, ecdsa,
};
pub use client::Client;
pub use counters::Counters;
pub use error::{Error, ErrorKind, Result};
#[cfg(feature = "rustls")]
pub use interop::rustls as tls;
#[cfg(feature = "signature")]
pub use interop::signature;
#[cfg(feature = "x509")]
pub use interop::x509;
pub use key::{
    AnyKey, CbcStream, GcmCiphertext, Key, KeyAttributes, KeyFile, KeyId, KeyOperation, KeyType,
    SymmetricKey, VaultKey,
};
pub use public_key::{EcPublicKey, PublicKey, RsaPublicKey};
pub use reference::{Cloud, KeyReference, VaultKind};
pub use settings::Settings;
pub use vault::{AesSize, Certificate, KeyItem, KeyList, NewKey, RsaSize, Vault};
