//! `ssh-keygen` of OpenSSH with a key file.

use std::fs;

use akv_tests::Task;
use anyhow::Result;

use crate::scene::{MESSAGE, Scene};

#[test]
fn signs_with_rsa_and_refuses_ec() -> Result<()> {
    let scene = Scene::open()?;
    let rsa = &scene.keys[0];
    let public = scene.task("ssh-keygen").args(["-y", "-f", &rsa.file]).ok()?;
    let back = scene.site.path("rsa.ssh.pub");
    fs::write(&back, public.text())?;
    // The printed key must be the vault's key.
    let converted = Task::new("ssh-keygen").args(["-e", "-m", "PKCS8", "-f"]).arg(&back).ok()?;
    assert_eq!(converted.text().trim(), fs::read_to_string(&rsa.public)?.trim());

    // It requires the public half next to the key.
    fs::copy(&back, scene.site.path("rsa.pem.pub"))?;
    let message = scene.site.text("message");
    scene.task("ssh-keygen").args(["-Y", "sign", "-n", "file", "-f", &rsa.file, &message]).ok()?;
    let check = Task::new("ssh-keygen").args(["-Y", "check-novalidate", "-n", "file", "-s"]);
    check.arg(scene.site.path("message.sig")).input(MESSAGE).ok()?;

    // It checks the private number itself.
    let output = scene.task("ssh-keygen").args(["-y", "-f", &scene.keys[1].file]).run()?;
    assert_eq!(output.status.code(), Some(255), "{}", output.describe());
    assert!(output.stderr.contains("invalid format"), "{}", output.describe());
    Ok(())
}
