//! Mosquitto, which gives up root after it has read the key.

use super::{Host, Test, Way};
use crate::{protocol::Protocol, server::Server};

pub(super) const HOST: Host = Host {
    name: "mosquitto",
    packages: &["mosquitto"],
    ways: &[Way::KEY_FILE, Way::PKCS8],
    test: Test::Server(Server {
        unit: "mosquitto.service",
        port: 8883,
        protocol: Protocol::MQTTS,
        logs: &["/var/log/mosquitto/mosquitto.log"],
        ..Server::HTTPS
    }),
};
