//! Dovecot, whose login processes run in a `chroot`, without root, and limited to one process.

use super::{Host, Test, Way};
use crate::{protocol::Protocol, release::Release, server::Server};

pub(super) const HOST: Host = Host {
    name: "dovecot",
    packages: &["dovecot-imapd"],
    ways: &[
        Way::KEY_FILE.only_in(&[Release::Debian13, Release::Sid]),
        Way::PKCS8.only_in(&[Release::Debian13, Release::Sid]),
        Way::KEY_FILE.in_section("Key file, before 2.4").only_in(&[Release::Debian12]),
        Way::PKCS8.in_section("Key file, before 2.4").only_in(&[Release::Debian12]),
    ],
    test: Test::Server(Server {
        unit: "dovecot.service",
        port: 993,
        protocol: Protocol::Greeting("* OK"),
        // A reload disconnects clients during their handshakes ("Server shutting down").
        reloads: false,
        ..Server::HTTPS
    }),
};
