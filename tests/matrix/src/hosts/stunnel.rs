//! stunnel before a plain HTTP server.

use super::{Host, Test, Way};
use crate::server::Server;

pub(super) const HOST: Host = Host {
    name: "stunnel",
    packages: &["stunnel4"],
    ways: &[Way::KEY_FILE, Way::PKCS8],
    test: Test::Server(Server { unit: "stunnel@akv.service", reloads: false, ..Server::HTTPS }),
};
