//! The `openssl` program: certificate authorities, messages and time stamps.

use anyhow::Result;

use super::{Host, Test, Way};
use crate::scene::Scene;

pub(super) const HOST: Host = Host {
    name: "openssl",
    packages: &["openssl"],
    ways: &[Way::KEY_FILE, Way::PKCS8, Way::new("Store")],
    test: Test::Program(check),
};

/// The recipe has written the results; a program without our modules checks them.
fn check(scene: &Scene<'_>) -> Result<()> {
    let file = |name: &str| scene.machine.path(&format!("/root/{name}")).display().to_string();
    let openssl = scene.authority.openssl();
    openssl.ok(&format!("verify -CAfile {} {}", file("ca.pem"), file("leaf.pem")))?;
    openssl.ok(&format!(
        "cms -verify -in {} -inform DER -binary -content {} -CAfile ca.pem -purpose any \
         -out received",
        file("message.cms"),
        file("message")
    ))?;
    // The request of the first steps, the certificates of the authority and by it, and the message.
    let mut signatures = 4;
    if scene.machine.path("/root/stamp.tsr").exists() {
        let (message, stamp, authority) = (file("message"), file("stamp.tsr"), file("tsa.pem"));
        openssl.ok(&format!("ts -verify -data {message} -in {stamp} -CAfile {authority}"))?;
        // The stamp and its certificate.
        signatures += 2;
    }
    scene.check_signatures(signatures)
}
