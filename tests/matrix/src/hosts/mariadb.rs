//! MariaDB, which never runs as root.

use super::{Host, Test, Way};
use crate::{protocol::Protocol, server::Server};

pub(super) const HOST: Host = Host {
    name: "mariadb",
    packages: &["mariadb-server"],
    ways: &[Way::KEY_FILE, Way::PKCS8],
    test: Test::Server(Server {
        unit: "mariadb.service",
        port: 3306,
        protocol: Protocol::Mysql,
        reloads: false,
        // The unit runs a client after the start.
        alone: false,
        ..Server::HTTPS
    }),
};
