//! ssh-keygen as an authority for SSH certificates.

use anyhow::{Result, ensure};

use super::{ALL, Host, Test, Way};
use crate::{keys::Kind, scene::Scene};

pub(super) const HOST: Host = Host {
    name: "ssh-keygen",
    packages: &["openssh-client"],
    ways: &[
        Way::KEY_FILE.only(&[Kind::Rsa]),
        Way::new("Key file, EC").in_section("Key file").only(&[Kind::Ec]).impossible(&[(
            ALL,
            "`ssh-keygen` computes with the private number of EC keys itself; use an RSA key",
        )]),
    ],
    test: Test::Program(check),
};

/// Without our modules, `ssh-keygen` reads the certificate, whose signature it checks.
fn check(scene: &Scene<'_>) -> Result<()> {
    let output = scene.machine.shell("ssh-keygen -L -f host-cert.pub", &[])?;
    let text = output.text();
    ensure!(text.contains("host certificate") && text.contains("rsa-sha2-512"), "{text}");
    // The request of the first steps, and the certificate.
    scene.check_signatures(2)
}
