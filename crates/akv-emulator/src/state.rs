//! The state that all connections of one emulator share.

use crate::{
    applications::Registry,
    arc_agent::Agent,
    assigned::Assigned,
    auth::Tokens,
    clock::Clock,
    connections::Connections,
    faults::Faults,
    latency::Pace,
    permissions::Permissions,
    persona::{Persona, Target},
    recovery::Rules,
    stats::Counters,
    store::Store,
    throttle::Throttle,
    tls::Tls,
};

pub(crate) struct State {
    /// The service under host names that do not belong to a known service.
    pub(crate) persona: Persona,
    pub(crate) store: Store,
    /// The rules for deleted keys.
    pub(crate) recovery: Rules,
    pub(crate) tokens: Tokens,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    /// The permissions of identities.
    pub(crate) permissions: Permissions,
    /// The latency of responses.
    pub(crate) latency: Pace,
    pub(crate) throttle: Throttle,
    pub(crate) connections: Connections,
    pub(crate) counters: Counters,
    pub(crate) tls: Tls,
    /// Applications that may request tokens from Entra ID.
    pub(crate) entra: Registry,
    pub(crate) arc: Agent,
    /// The user-assigned identities of the machine.
    pub(crate) assigned: Assigned,
    /// The secret that App Service passes to programs as `IDENTITY_HEADER`.
    pub(crate) identity_header: String,
    /// Whether `/__emulator/…` is served.
    pub(crate) control_interface: bool,
}

impl State {
    /// The vault of a host name or a `Host` header.
    pub(crate) fn target(&self, authority: &str) -> Target {
        Target { recovery: self.recovery.get(), ..Target::new(authority, self.persona) }
    }
}
