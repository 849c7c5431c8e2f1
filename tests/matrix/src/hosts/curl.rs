//! curl with a client certificate.

use anyhow::Result;
use rustls::version::{TLS12, TLS13};

use super::{Host, Test, Way};
use crate::{peer::Peer, scene::Scene};

pub(super) const HOST: Host = Host {
    name: "curl",
    packages: &["curl"],
    ways: &[Way::KEY_FILE, Way::PKCS8, Way::new("Engine")],
    test: Test::Client(check),
};

/// The recipe sends one request with each version of TLS.
fn check(scene: &Scene<'_>) -> Result<()> {
    let peer = Peer::start(scene.authority, vec![&TLS12, &TLS13])?;
    scene.run_commands()?;
    peer.finish()?;
    // The request of the first steps, and both handshakes.
    scene.check_signatures(3)
}
