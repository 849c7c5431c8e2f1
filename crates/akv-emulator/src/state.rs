//! What all connections of one emulator share.

use crate::{
    arc::Agent, auth::Tokens, clock::Clock, entra::Registry, faults::Faults, persona::Persona,
    stats::Counters, store::Store, tls::Tls,
};

pub(crate) struct State {
    /// Answers under host names that are not a known service's.
    pub(crate) persona: Persona,
    pub(crate) store: Store,
    pub(crate) tokens: Tokens,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) counters: Counters,
    pub(crate) tls: Tls,
    /// Applications that may ask Entra ID for tokens.
    pub(crate) entra: Registry,
    pub(crate) arc: Agent,
    /// The secret that App Service hands to programs as `IDENTITY_HEADER`.
    pub(crate) identity_header: String,
    /// Whether `/__emulator/…` is served.
    pub(crate) control_interface: bool,
}
