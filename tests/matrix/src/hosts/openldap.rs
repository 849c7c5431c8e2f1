//! OpenLDAP, which Debian links with OpenSSL from 13 on.

use super::{Host, Test, Way};
use crate::{protocol::Protocol, release::Release, server::Server};

const GNUTLS: &[(&[Release], &str)] =
    &[(&[Release::Debian12], "it is linked with GnuTLS; put stunnel or HAProxy before it")];

pub(super) const HOST: Host = Host {
    name: "openldap",
    packages: &["slapd"],
    ways: &[Way::KEY_FILE.impossible(GNUTLS), Way::PKCS8.impossible(GNUTLS)],
    test: Test::Server(Server {
        unit: "slapd.service",
        port: 636,
        protocol: Protocol::LDAPS,
        reloads: false,
        ..Server::HTTPS
    }),
};
