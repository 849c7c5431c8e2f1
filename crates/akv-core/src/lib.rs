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
//! modules stand on.
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
//! [`Settings::from_environment`] honours the variables of the Azure SDKs and this library's own;
//! [`Settings::builder`] takes the same settings by name, and [`settings::OPTIONS`] lists them.
//! Where tokens come from is one of them, [`CredentialKind`](settings::CredentialKind): by default
//! whatever works first. Credentials, tokens and connections belong to the [`Client`]; have one
//! for the whole program.
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
//! A [`KeyFile`] stands where a program expects a private key file. It names the key and holds no
//! secret, and with version and public half in it the key is opened without a request.
//!
//! ```no_run
//! # fn example(client: akv_core::blocking::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use akv_core::KeyFile;
//!
//! let file = KeyFile::from_pem(&std::fs::read("site.key")?)?.ok_or("site.key is no key file")?;
//! let key = client.key_from_file(&file)?;
//! # Ok(())
//! # }
//! ```
//!
//! # What an operation may take
//! An operation, with its token, connection and all retries, ends within the setting `timeout`, 10
//! seconds by default. Passing failures are ridden out inside it. What cannot succeed, a digest of
//! a wrong length or an algorithm of another kind of key, is refused before any request.
//!
//! # Errors
//! [`Error`] says in one line what was asked, what happened and what to do. Programs look at its
//! [`kind`](Error::kind), and at [`status`](Error::status) and [`code`](Error::code) when the
//! service answered.
//!
//! ```no_run
//! # fn example(client: akv_core::blocking::Client) -> akv_core::Result<()> {
//! use akv_core::ErrorKind;
//!
//! match client.key(&client.reference("vault:myVault:myKey")?) {
//!     Ok(key) => println!("{} bits", key.public_key().bits()),
//!     Err(error) if error.kind() == ErrorKind::Timeout => println!("later: {error}"),
//!     Err(error) if error.status() == Some(404) => println!("there is no such key"),
//!     Err(error) => return Err(error),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Processes that fork
//! A client and its keys may be made in one process and used in its children, as servers do. Each
//! process has its own connections, and with [`blocking`] its own runtime, made by the first
//! operation that needs them. Nothing of them is shared, and no lock can be left behind; tokens are
//! carried over. Making a client, and opening the key of a complete key file, starts no thread.
//!
//! # Features
//! All are off by default.
//!
//! | feature | gives |
//! |---|---|
//! | `signature` | module `signature`: the traits of RustCrypto's `signature` crate |
//! | `x509` | module `x509`: certificates and requests for them, by the builders of `x509-cert` |
//! | `probe` | module `probe`: the way to a vault, step by step, with what each one took |
//! | `rustls` | module `tls`: keys for rustls's servers and clients |
//!
//! The repository's `examples` folder has a program for each, which run against an embedded vault.
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
