//! osslsigncode: Authenticode signatures.

use anyhow::{Result, ensure};

use super::{Host, Test, Way};
use crate::{release::Release, scene::Scene};

pub(super) const HOST: Host = Host {
    name: "osslsigncode",
    packages: &["osslsigncode", "systemd-boot-efi"],
    ways: &[
        Way::KEY_FILE,
        Way::PKCS8,
        Way::new("Store").impossible(&[(
            &[Release::Debian12, Release::Debian13],
            "osslsigncode 2.9 takes no URI, 2.14 does; use a key file",
        )]),
    ],
    test: Test::Program(check),
};

/// Without our modules, it verifies the signature.
fn check(scene: &Scene<'_>) -> Result<()> {
    let line = "osslsigncode verify -CAfile /etc/akv/ca.pem -in signed.efi";
    let output = scene.machine.shell(line, &[])?;
    ensure!(output.text().contains("Signature verification: ok"), "{}", output.describe());
    // The request of the first steps, and the program.
    scene.check_signatures(2)
}
