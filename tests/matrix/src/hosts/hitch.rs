//! Hitch, which terminates TLS only.

use super::{Host, Test, Way};
use crate::server::Server;

pub(super) const HOST: Host = Host {
    name: "hitch",
    packages: &["hitch"],
    ways: &[Way::KEY_FILE, Way::PKCS8],
    test: Test::Server(Server {
        unit: "hitch.service",
        // A reload may reset connections that are being opened.
        reloads: false,
        ..Server::HTTPS
    }),
};
