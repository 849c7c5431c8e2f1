//! Apache: it reads its configuration twice, and signs in processes of another user.

use super::{Host, Test, Way};
use crate::server::Server;

pub(super) const HOST: Host = Host {
    name: "apache",
    packages: &["apache2"],
    ways: &[
        Way::KEY_FILE,
        Way::PKCS8,
        Way::new("Key file, prefork").in_section("Prefork"),
        Way::new("Engine"),
    ],
    test: Test::Server(Server {
        unit: "apache2.service",
        logs: &["/var/log/apache2/error.log"],
        ..Server::HTTPS
    }),
};
