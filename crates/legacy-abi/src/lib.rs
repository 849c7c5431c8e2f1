//! Vault keys in libcrypto's legacy structures: an `RSA` with an `RSA_METHOD` or an `EC_KEY` with
//! an `EC_KEY_METHOD`, which sign and decrypt in the vault.
//!
//! The engine's keys consist of them. The provider returns them to programs that get the legacy
//! structure of a key (`EVP_PKEY_get0_RSA`). libcrypto is not linked.
//!
//! | module | content |
//! |---|---|
//! | [`libcrypto`] | libcrypto's types, constants and functions, its error queue |
//! | [`host`] | state for each libcrypto in the process |
//! | [`job`] | waiting inside ASYNC jobs, for both modules |
//! | [`key`] | the structures, with the vault's keys attached to them |
//! | [`rsa`] | signing and decrypting with RSA |
//! | [`ec`] | signing with elliptic curves |

pub mod ec;
pub mod error;
pub mod host;
pub mod job;
pub mod key;
pub mod libcrypto;
pub mod rsa;

pub use self::error::{Error, Result};
pub use self::host::Libcrypto;
