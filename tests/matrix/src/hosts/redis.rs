//! Redis, which never runs as root.

use super::{Host, Test, Way};
use crate::{protocol::Protocol, server::Server};

pub(super) const HOST: Host = Host {
    name: "redis",
    packages: &["redis-server"],
    ways: &[Way::KEY_FILE, Way::PKCS8],
    test: Test::Server(Server {
        unit: "redis-server.service",
        port: 6379,
        protocol: Protocol::Exchange(b"PING\r\n", b"+PONG\r\n"),
        reloads: false,
        harmless: &["Memory overcommit must be enabled"],
        logs: &["/var/log/redis/redis-server.log"],
        ..Server::HTTPS
    }),
};
