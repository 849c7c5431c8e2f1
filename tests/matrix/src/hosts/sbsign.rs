//! sbsign: signatures for Secure Boot.

use anyhow::Result;

use super::{Host, Test, Way};
use crate::{release::Release, scene::Scene};

pub(super) const HOST: Host = Host {
    name: "sbsign",
    packages: &["sbsigntool", "systemd-boot-efi"],
    ways: &[
        Way::KEY_FILE,
        Way::PKCS8,
        Way::new("Engine").impossible(&[(
            &[Release::Sid],
            "sbsign 0.9.5 takes `--engine` for the name of a provider; use a key file",
        )]),
    ],
    test: Test::Program(check),
};

/// Without our modules, its companion verifies the signature.
fn check(scene: &Scene<'_>) -> Result<()> {
    scene.machine.shell("sbverify --cert /etc/akv/site.pem signed.efi", &[])?;
    // The request of the first steps, and the program.
    scene.check_signatures(2)
}
