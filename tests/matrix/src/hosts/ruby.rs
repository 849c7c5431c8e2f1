//! Ruby with a TLS server.

use super::{Host, Test, Way};
use crate::server::Server;

pub(super) const HOST: Host = Host {
    name: "ruby",
    packages: &["ruby"],
    ways: &[Way::KEY_FILE, Way::PKCS8],
    test: Test::Server(Server { unit: "hello.service", ..Server::HTTPS }),
};
