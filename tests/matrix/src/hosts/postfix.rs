//! Postfix, whose processes for clients run in a `chroot` and without root.

use super::{Host, Test, Way};
use crate::{protocol::Protocol, release::Release, server::Server};

pub(super) const HOST: Host = Host {
    name: "postfix",
    packages: &["postfix"],
    ways: &[Way::KEY_FILE, Way::PKCS8.in_section("Chain file")],
    test: Test::Server(Server {
        unit: "postfix.service",
        units: &[(Release::Debian12, "postfix@-.service")],
        port: 25,
        protocol: Protocol::Smtp,
        ..Server::HTTPS
    }),
};
