//! Python with an HTTPS server.

use super::{Host, Test, Way};
use crate::server::Server;

pub(super) const HOST: Host = Host {
    name: "python",
    packages: &["python3"],
    ways: &[Way::KEY_FILE, Way::PKCS8],
    test: Test::Server(Server { unit: "hello.service", ..Server::HTTPS }),
};
