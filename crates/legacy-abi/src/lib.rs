//! Keys in a vault in libcrypto's old structures: an `RSA` with an `RSA_METHOD`, an `EC_KEY` with an
//! `EC_KEY_METHOD`, which sign and decrypt in the vault.
//!
//! The engine's keys are made of them, and the provider gives them to programs that ask a key for
//! its structure (`EVP_PKEY_get0_RSA`). Nothing of libcrypto is linked.
//!
//! | module | what |
//! |---|---|
//! | [`libcrypto`] | types, numbers and functions of libcrypto, its error queue |
//! | [`host`] | what is kept for each libcrypto of the process |
//! | [`key`] | the structures, and the vault's keys attached to them |
//! | [`rsa`] | signing and decrypting with RSA |
//! | [`ec`] | signing with elliptic curves |

pub mod ec;
pub mod error;
pub mod host;
pub mod key;
pub mod libcrypto;
pub mod rsa;

pub use self::error::{Error, Result};
pub use self::host::Libcrypto;
