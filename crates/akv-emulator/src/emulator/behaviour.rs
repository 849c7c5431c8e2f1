//! Configurable behaviour.

use std::time::Duration;

use super::Emulator;
use crate::{
    faults::Fault,
    latency::Latency,
    permissions::{AccessModel, Permission},
    throttle::Throttling,
};

impl Emulator {
    /// Queues a fault.
    pub fn fault(&self, fault: Fault) {
        self.state.faults.add(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.state.faults.clear();
    }

    /// Moves the emulator's clock by this number of seconds, forwards or (negative) backwards, so
    /// that keys and tokens become valid or expire.
    pub fn shift_clock(&self, seconds: i64) {
        self.state.clock.shift(seconds);
    }

    /// Delays responses as the service does; `None`, the default, adds no delay.
    pub fn set_latency(&self, latency: Option<Latency>) {
        self.state.latency.set(latency);
    }

    /// Limits the requests to each vault as the service does; `None`, the default, does not. A
    /// Managed HSM has no such limits.
    pub fn set_throttling(&self, limits: Option<Throttling>) {
        self.state.throttle.set(limits);
    }

    /// Gives an identity a permission. From then on it may do only what its permissions allow;
    /// identities without any may do everything.
    pub fn permit(&self, permission: Permission) {
        self.state.permissions.add(permission);
    }

    /// Removes all permissions, so that every identity may do everything.
    pub fn clear_permissions(&self) {
        self.state.permissions.clear();
    }

    /// The access model of the vaults, which determines the errors of refused requests.
    pub fn set_access_model(&self, model: AccessModel) {
        self.state.permissions.set_model(model);
    }

    /// How long a deletion takes, in whole seconds of the emulator's clock; zero by default. Until
    /// it has ended, the name is taken, and the key can be neither recovered nor purged.
    pub fn set_deletion_delay(&self, delay: Duration) {
        let seconds = i64::try_from(delay.as_secs()).unwrap_or(i64::MAX);
        self.state.recovery.set_deletion_delay(seconds);
    }

    /// Closes all connections gracefully: idle ones at once, others after their response. Returns
    /// how many there were.
    pub fn close_connections(&self) -> usize {
        self.state.connections.close()
    }
}
