//! An embedded Azure Key Vault and Managed HSM: the keys data plane over real HTTPS with real
//! cryptography, for tests, demonstrations and continuous integration.
//!
//! ```
//! use akv_emulator::{Curve, Emulator, NewKey};
//!
//! let vault = Emulator::builder().start()?;
//! let key = vault.create_key(NewKey::ec("signing", Curve::P256))?;
//! assert!(key.url.starts_with(vault.endpoint()));
//! // Point a client at `vault.endpoint()`, make it trust `vault.ca_pem()`, and give it
//! // `vault.token()`.
//! # Ok::<(), akv_emulator::Error>(())
//! ```
//!
//! Keys live in memory unless [`Builder::state_dir`] names a folder; their private parts are then
//! stored there readable. This is a stand-in for the service, not a place for real secrets.

mod admin;
mod algorithm;
mod attributes;
mod auth;
mod base64url;
mod clock;
mod control;
mod emulator;
mod error;
mod faults;
mod identity;
mod keys;
mod new_key;
mod operation;
mod paging;
mod persona;
mod reply;
mod rotation;
mod routes;
mod server;
mod state;
mod state_dir;
mod stats;
mod store;
mod sync;
mod tls;
mod wire;

pub use crate::{
    emulator::{Builder, Emulator, Error},
    faults::{Fault, FaultKind},
    keys::Curve,
    new_key::{KeyId, NewKey},
    operation::Operation,
    persona::Persona,
    stats::Stats,
};
