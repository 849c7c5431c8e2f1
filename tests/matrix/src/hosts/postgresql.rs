//! PostgreSQL: one process loads the key, and each connection gets a child of it.

use super::{Host, Test, Way};
use crate::{protocol::Protocol, server::Server};

pub(super) const HOST: Host = Host {
    name: "postgresql",
    packages: &["postgresql"],
    ways: &[Way::KEY_FILE, Way::PKCS8],
    test: Test::Server(Server {
        unit: "postgresql@*-main.service",
        port: 5432,
        protocol: Protocol::Postgres,
        logs: &["/var/log/postgresql/postgresql-*-main.log"],
        // The client is nobody.
        harmless: &[
            "no pg_hba.conf entry",
            "role \"nobody\" does not exist",
            "authentication failed",
        ],
        ..Server::HTTPS
    }),
};
