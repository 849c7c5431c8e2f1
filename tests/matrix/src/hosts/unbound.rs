//! Unbound as a server of DNS over TLS.

use super::{Host, Test, Way};
use crate::{protocol::Protocol, server::Server};

pub(super) const HOST: Host = Host {
    name: "unbound",
    packages: &["unbound"],
    ways: &[Way::KEY_FILE, Way::PKCS8],
    test: Test::Server(Server {
        unit: "unbound.service",
        port: 853,
        protocol: Protocol::Dns,
        reloads: false,
        ..Server::HTTPS
    }),
};
