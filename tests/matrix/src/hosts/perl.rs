//! Perl with a server that forks a process for each connection.

use super::{Host, Test, Way};
use crate::server::Server;

pub(super) const HOST: Host = Host {
    name: "perl",
    packages: &["perl", "libio-socket-ssl-perl"],
    ways: &[Way::KEY_FILE, Way::PKCS8],
    test: Test::Server(Server { unit: "hello.service", reloads: false, ..Server::HTTPS }),
};
