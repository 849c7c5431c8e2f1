//! vsftpd: a child of root's reads the key for each connection.

use super::{Host, Test, Way};
use crate::{protocol::Protocol, server::Server};

pub(super) const HOST: Host = Host {
    name: "vsftpd",
    packages: &["vsftpd"],
    ways: &[Way::KEY_FILE, Way::PKCS8],
    test: Test::Server(Server {
        unit: "vsftpd.service",
        port: 21,
        protocol: Protocol::Ftp,
        reloads: false,
        logs: &["/var/log/vsftpd.log"],
        ..Server::HTTPS
    }),
};
