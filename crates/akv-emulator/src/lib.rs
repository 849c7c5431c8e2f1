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
//! # As a program
//! `akv-emulator --key ec:web:P-256` prints shell lines with endpoint, CA file and token, and
//! serves until Ctrl-C or SIGTERM. Without a token it also answers (as the library does with
//! [`Builder::control_interface`]) these requests on the same listener:
//!
//! | request | does |
//! | --- | --- |
//! | `GET /__emulator/stats` | [`Stats`] as JSON |
//! | `DELETE /__emulator/stats` | sets the counters to zero |
//! | `POST /__emulator/faults` | adds a [`Fault`] or a list of them |
//! | `DELETE /__emulator/faults` | removes all faults |
//! | `POST /__emulator/keys/NAME/rotate` | makes a new version in the vault of the `Host` header |
//! | `POST /__emulator/tokens/revoke` | makes all tokens invalid |
//! | `POST /__emulator/applications` | registers an [`Application`] or a list of them |
//!
//! A fault in JSON: `{"kind": "status", "status": 429, "retryAfter": 2, "operation": "sign",
//! "times": 3, "probability": 0.5}`. `kind` is a [`FaultKind`] in camel case with its members next
//! to it; `operation` is left out for all of them, `times` is 1 unless given and null for ever.
//!
//! # Who may have tokens
//! Every way to a token that Azure knows is there:
//!
//! | way | where | for whom |
//! | --- | --- | --- |
//! | virtual machine (IMDS) | [`Emulator::imds_endpoint`] | everybody |
//! | App Service | [`Emulator::identity_endpoint`] | who has [`Emulator::identity_header`] |
//! | Azure Arc | [`Emulator::arc_endpoint`] | who can read the files of [`Emulator::set_arc_folder`] |
//! | Microsoft Entra ID | [`Emulator::authority`] | applications that are registered, with a secret, a certificate or a federated token: [`Emulator::register`] |
//!
//! The authority is served on the HTTPS listener, under its address and under the names of the
//! real ones. It refuses with the codes and texts of Entra ID (`AADSTS7000215` and others), and
//! checks assertions as Entra ID does: signature, thumbprint, audience, issuer, subject, time.
//!
//! # Where keys live
//! Keys live in memory unless [`Builder::state_dir`] names a folder; their private parts are then
//! stored there readable. This is a stand-in for the service, not a place for real secrets.

mod admin;
mod algorithm;
mod arc;
mod attributes;
mod auth;
mod base64url;
mod bodies;
mod builder;
mod certificate;
mod clock;
mod control;
mod emulator;
mod entra;
mod error;
mod faults;
mod identity;
mod keys;
mod new_key;
mod operation;
mod paging;
mod persona;
pub mod program;
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
mod token_reply;
mod wire;

pub use crate::{
    builder::Builder,
    emulator::{Emulator, Error},
    entra::Application,
    faults::{Fault, FaultKind},
    keys::Curve,
    new_key::{KeyId, NewKey},
    operation::Operation,
    persona::Persona,
    stats::Stats,
};
