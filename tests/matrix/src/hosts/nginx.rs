//! nginx: the master loads the keys as root, workers of another user sign.

use super::{Host, Test, Way};
use crate::{release::Release, server::Server};

pub(super) const HOST: Host = Host {
    name: "nginx",
    packages: &["nginx"],
    ways: &[
        Way::KEY_FILE,
        Way::PKCS8,
        Way::new("Store").impossible(&[(
            &[Release::Debian12, Release::Debian13],
            "nginx has `store:` from 1.29 on; use a key file",
        )]),
        Way::new("Engine").impossible(&[(
            &[Release::Sid],
            "Debian's nginx is built without engines from 1.30 on; use `store:`",
        )]),
    ],
    test: Test::Server(Server {
        unit: "nginx.service",
        logs: &["/var/log/nginx/error.log"],
        ..Server::HTTPS
    }),
};
