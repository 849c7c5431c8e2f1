//! Signature algorithms with their digest (`RSA-SHA256`), selected by name from OpenSSL 3.4 on.

use akv_emulator::{Curve, Persona};
use akv_tests::{Installation, Site, Task, cc};
use anyhow::{Context as _, Result};

/// Whether the OpenSSL in use has the functions for it.
fn has_algorithms_by_name() -> Result<bool> {
    let version = Installation::selected().version()?;
    let mut numbers = version.split('.').map(str::parse::<u32>);
    let mut next = || numbers.next().context("a number").and_then(|number| Ok(number?));
    Ok((next()?, next()?) >= (3, 4))
}

/// Signs with every algorithm for RSA and for P-256.
fn sign_with_all(persona: Persona, kind: &str, algorithms: [&str; 2]) -> Result<()> {
    let site = Site::start(persona)?;
    let program = cc::compile("provider/sign_message", site.folder())?;
    for (key, algorithms) in [site.rsa(2048)?, site.ec(Curve::P256)?].iter().zip(algorithms) {
        let file = site.key_file(key, "by-name.key")?;
        let public = site.public_key(key)?;
        let task = Task::new(&program).env("OPENSSL_CONF", site.path("openssl.cnf"));
        let expected = if has_algorithms_by_name()? { algorithms } else { "0" };
        assert_eq!(task.args([&file, &public, kind]).ok()?.text().trim(), expected, "{key}");
    }
    Ok(())
}

#[test]
fn a_vault_signs_messages_with_every_algorithm() -> Result<()> {
    sign_with_all(Persona::Vault, "vault", ["11", "9"])
}

#[test]
fn a_managed_hsm_signs_messages_with_fewer_algorithms() -> Result<()> {
    sign_with_all(Persona::ManagedHsm, "hsm", ["3", "9"])
}

#[test]
fn are_offered_only_to_releases_that_have_them() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let list = site.openssl().ok("list -signature-algorithms")?.text();
    let ours = list.lines().filter(|line| line.contains("@ akv_provider")).count();
    assert_eq!(ours, if has_algorithms_by_name()? { 22 } else { 2 }, "{list}");
    Ok(())
}
