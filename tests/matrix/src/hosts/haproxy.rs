//! HAProxy with master and worker, in its `chroot` and without root.

use super::{Host, Test, Way};
use crate::server::Server;

pub(super) const HOST: Host = Host {
    name: "haproxy",
    packages: &["haproxy"],
    ways: &[Way::KEY_FILE, Way::PKCS8],
    test: Test::Server(Server {
        unit: "haproxy.service",
        // Stopped by the service manager.
        harmless: &["exited with code 143 (Terminated)"],
        ..Server::HTTPS
    }),
};
