//! BIND as a server of DNS over TLS.

use super::{Host, Test, Way};
use crate::{protocol::Protocol, server::Server};

pub(super) const HOST: Host = Host {
    name: "bind",
    packages: &["bind9"],
    ways: &[Way::KEY_FILE, Way::PKCS8],
    test: Test::Server(Server {
        unit: "named.service",
        port: 853,
        protocol: Protocol::Dns,
        harmless: &["built with", "network unreachable resolving"],
        ..Server::HTTPS
    }),
};
