//! An embedded Azure Key Vault and Managed HSM: the data plane for keys over real HTTPS with real
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
//! serves until Ctrl-C or SIGTERM; `--help` lists its arguments. On the same listener, without a
//! token, it serves (as the library does with [`Builder::control_interface`]) one request for each
//! call of the library:
//!
//! | request | effect |
//! | --- | --- |
//! | `GET /__emulator/stats` | [`Emulator::stats`] as JSON |
//! | `DELETE /__emulator/stats` | [`Emulator::reset_stats`] |
//! | `GET /__emulator/settings` | returns the settings |
//! | `PATCH /__emulator/settings` | changes those in the body, all or none |
//! | `GET /__emulator/faults` | returns the queued faults |
//! | `POST /__emulator/faults` | [`Emulator::fault`], for a [`Fault`] or a list of them |
//! | `DELETE /__emulator/faults` | [`Emulator::clear_faults`] |
//! | `GET /__emulator/permissions` | returns the permissions |
//! | `POST /__emulator/permissions` | [`Emulator::permit`], for a [`Permission`] or a list of them |
//! | `DELETE /__emulator/permissions` | [`Emulator::clear_permissions`] |
//! | `POST /__emulator/applications` | [`Emulator::register`], for an [`Application`] or a list of them |
//! | `POST /__emulator/tokens` | [`Emulator::token_of`]: `{"identity", "audience", "tenant"}`, each optional |
//! | `POST /__emulator/tokens/revoke` | [`Emulator::revoke_token`] for `{"token"}`; without a body, revokes all tokens |
//! | `POST /__emulator/keys` | [`Emulator::create_key`]: `{"key": "ec:web:P-256"}`; with `"subject"` [`Emulator::create_certificate`] |
//! | `POST /__emulator/keys/NAME/rotate` | [`Emulator::rotate_key`], in the vault of the `Host` header |
//! | `POST /__emulator/keys/NAME/disable`, `…/enable` | [`Emulator::set_key_enabled`] |
//! | `POST /__emulator/connections/close` | [`Emulator::close_connections`] |
//!
//! The settings:
//!
//! | name | value | call |
//! | --- | --- | --- |
//! | `latency` | null, `"hsm-in-region"`, `"vault-in-region"`, `"cross-region"`, `{"p50": MS, "p99": MS}` | [`Emulator::set_latency`] |
//! | `throttling` | false, true, `{"scale": 0.1, "retryAfter": true}` | [`Emulator::set_throttling`] |
//! | `accessModel` | `"policies"`, `"roles"` | [`Emulator::set_access_model`] |
//! | `tenant` | null, an id | [`Emulator::set_tenant`] |
//! | `tokenLifetime` | seconds | [`Emulator::set_token_lifetime`] |
//! | `deletionDelay` | seconds | [`Emulator::set_deletion_delay`] |
//! | `clockShift` | seconds, from the system's clock | [`Emulator::shift_clock`], which adds to it |
//! | `arcFolder`, `arcChallenge` | null, a path; not returned | [`Emulator::set_arc_folder`], [`Emulator::set_arc_challenge`] |
//!
//! A fault in JSON: `{"kind": "status", "status": 429, "retryAfter": 2, "operation": "sign",
//! "times": 3, "probability": 0.5}`. `kind` is a [`FaultKind`] in camel case with its members next
//! to it; `operation` is omitted for all operations; `times` is 1 by default and null for no limit.
//!
//! # Fidelity
//! The emulator follows recordings of the service, which the tests replay, and its documentation.
//! Where neither contains a message, the code is the service's and the message an approximation.
//!
//! # Tokens
//! Every token endpoint of Azure exists:
//!
//! | source | endpoint | who gets a token |
//! | --- | --- | --- |
//! | virtual machine (IMDS) | [`Emulator::imds_endpoint`] | every client |
//! | App Service | [`Emulator::identity_endpoint`] | clients that send [`Emulator::identity_header`] |
//! | Azure Arc | [`Emulator::arc_endpoint`] | clients that can read the files of [`Emulator::set_arc_folder`] |
//! | Microsoft Entra ID | [`Emulator::authority`] | registered applications with a secret, a certificate or a federated token: [`Emulator::register`] |
//!
//! The authority is served on the HTTPS listener, under its address and the names of the real
//! authorities. Its errors have the codes and texts of Entra ID (`AADSTS7000215` and others), and
//! it checks assertions as Entra ID does: signature, thumbprint, audience, issuer, subject, time.
//!
//! # Storage
//! Keys are kept in memory unless [`Builder::state_dir`] names a folder; their private parts are
//! then stored there unencrypted. Each change is written before the response is sent. If a file
//! cannot be read, the emulator does not start. This is a stand-in for the service: do not use it
//! for real secrets.
#![forbid(unsafe_code)]

mod admin;
mod applications;
mod arc_agent;
mod assigned;
mod attributes;
mod auth;
mod base64url;
mod bodies;
mod call;
mod certificate;
mod clock;
mod connections;
mod control;
mod disturb;
mod emulator;
mod entra;
mod error;
mod faults;
mod files;
mod identity;
mod keys;
mod latency;
mod operation;
mod period;
mod permissions;
mod persona;
pub mod program;
mod recovery;
mod reply;
mod request;
mod rotation;
mod routes;
mod server;
mod state;
mod stats;
mod store;
mod sync;
mod throttle;
mod tls;
mod token_reply;
mod wire;

pub use crate::{
    applications::Application,
    assigned::AssignedIdentity,
    emulator::{Builder, Emulator, Error},
    faults::{Fault, FaultKind},
    keys::{Curve, KeyId, NewKey},
    latency::Latency,
    operation::Operation,
    permissions::{AccessModel, Permission},
    persona::Persona,
    stats::Stats,
    throttle::Throttling,
};
