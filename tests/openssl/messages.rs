//! Signature algorithms that a program chooses by name, from OpenSSL 3.4 on.

use akv_emulator::{Curve, Persona};
use akv_tests::{Installation, Site, Task, cc};
use anyhow::{Context as _, Result};

/// Whether the OpenSSL that is used has the functions for it.
fn has_algorithms_by_name() -> Result<bool> {
    let version = Installation::selected().version()?;
    let mut numbers = version.split('.').map(str::parse::<u32>);
    let mut next = || numbers.next().context("a number").and_then(|number| Ok(number?));
    Ok((next()?, next()?) >= (3, 4))
}

#[test]
fn an_algorithm_that_is_chosen_by_name_signs_messages() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let program = cc::compile("sign_message", site.folder())?;
    for (key, algorithms) in [(site.rsa(2048)?, "11"), (site.ec(Curve::P256)?, "9")] {
        let file = site.key_file(&key, "by-name.key")?;
        let public = site.public_key(&key)?;
        let task = Task::new(&program).env("OPENSSL_CONF", site.path("openssl.cnf"));
        let expected = if has_algorithms_by_name()? { algorithms } else { "0" };
        assert_eq!(task.args([&file, &public]).ok()?.text().trim(), expected, "{key}");
    }
    Ok(())
}

#[test]
fn older_releases_are_not_told_of_such_algorithms() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let list = site.openssl().ok("list -signature-algorithms")?.text();
    let ours = list.lines().filter(|line| line.contains("@ akv_provider")).count();
    assert_eq!(ours, if has_algorithms_by_name()? { 22 } else { 2 }, "{list}");
    Ok(())
}
