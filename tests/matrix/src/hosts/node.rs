//! Node.js with an HTTPS server.

use super::{Host, Test, Way};
use crate::server::Server;

pub(super) const HOST: Host = Host {
    name: "node",
    packages: &["nodejs"],
    ways: &[Way::KEY_FILE, Way::PKCS8],
    test: Test::Server(Server { unit: "hello.service", ..Server::HTTPS }),
};
