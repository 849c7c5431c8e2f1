//! PHP with a TLS server.

use super::{Host, Test, Way};
use crate::server::Server;

pub(super) const HOST: Host = Host {
    name: "php",
    packages: &["php-cli"],
    ways: &[Way::KEY_FILE, Way::PKCS8],
    test: Test::Server(Server { unit: "hello.service", reloads: false, ..Server::HTTPS }),
};
