//! What all connections of one emulator share.

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
    /// Answers under host names that are not a known service's.
    pub(crate) persona: Persona,
    pub(crate) store: Store,
    /// What the vaults do with deleted keys.
    pub(crate) recovery: Rules,
    pub(crate) tokens: Tokens,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    /// What identities may do.
    pub(crate) permissions: Permissions,
    /// How long answers take.
    pub(crate) latency: Pace,
    pub(crate) throttle: Throttle,
    pub(crate) connections: Connections,
    pub(crate) counters: Counters,
    pub(crate) tls: Tls,
    /// Applications that may ask Entra ID for tokens.
    pub(crate) entra: Registry,
    pub(crate) arc: Agent,
    /// The user-assigned identities of the machine.
    pub(crate) assigned: Assigned,
    /// The secret that App Service hands to programs as `IDENTITY_HEADER`.
    pub(crate) identity_header: String,
    /// Whether `/__emulator/…` is served.
    pub(crate) control_interface: bool,
}

impl State {
    /// The vault that a host name, or a `Host` header, stands for.
    pub(crate) fn target(&self, authority: &str) -> Target {
        Target { recovery: self.recovery.get(), ..Target::new(authority, self.persona) }
    }
}
