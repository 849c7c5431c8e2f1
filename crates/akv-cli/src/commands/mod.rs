//! One file per subcommand.

pub(crate) mod bench;
pub(crate) mod cert;
pub(crate) mod cipher;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod emulator;
pub(crate) mod key;
pub(crate) mod man;
pub(crate) mod pem;
pub(crate) mod pkcs12;
mod sealed;
pub(crate) mod sign;
pub(crate) mod verify;
