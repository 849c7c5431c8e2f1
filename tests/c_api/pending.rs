//! Operations that are started and left.

use std::fs;

use akv_emulator::Curve;
use akv_tests::{Task, jobs::slow_site, modules};
use anyhow::{Context as _, Result};

use crate::{build, compile, with_settings};

#[test]
fn operations_are_in_flight_together_and_end_in_any_order() -> Result<()> {
    let site = slow_site()?;
    let program = build("pending", &site)?;
    let task = Task::new(&program).args([site.ec(Curve::P256)?, site.rsa(2048)?]);
    let output = with_settings(task, &site).ok()?;
    assert_eq!((output.text().trim(), output.stderr.as_str()), ("passed", ""));
    // 18, and the one that was cancelled, which may not have been sent.
    let signed = site.vault().stats().sign;
    assert!((18..=19).contains(&signed), "{signed}");
    Ok(())
}

#[test]
fn the_example_signs_for_many_connections_on_one_thread() -> Result<()> {
    const COUNT: u8 = 12;
    let site = slow_site()?;
    let example = modules::workspace().join("ffi/examples/private_key_method.c");
    let program = compile(&example, site.folder(), &[])?;
    let key = site.rsa(2048)?;
    let digests: Vec<_> = (0..COUNT).map(|number| hex::encode([number; 32])).collect();
    let task = Task::new(&program).args([key.as_str(), "RS256"]).args(&digests);
    let printed = with_settings(task, &site).ok()?.text();
    let public = site.public_key(&key)?;
    let mut signed = Vec::new();
    for line in printed.lines() {
        let (number, signature) = line.split_once(' ').context("a number and a signature")?;
        let number: u8 = number.parse()?;
        fs::write(site.path("digest"), [number; 32])?;
        fs::write(site.path("signature"), hex::decode(signature)?)?;
        site.plain().ok(&format!(
            "pkeyutl -verify -pubin -inkey {public} -in digest -sigfile signature \
             -pkeyopt digest:sha256"
        ))?;
        signed.push(number);
    }
    signed.sort_unstable();
    assert_eq!(signed, (0..COUNT).collect::<Vec<_>>());
    assert_eq!(site.vault().stats().sign, u64::from(COUNT));
    let task = Task::new(&program).args([key.as_str(), "ES256", digests[0].as_str()]);
    let refused = with_settings(task, &site).run()?;
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("ES256"), "{}", refused.describe());
    Ok(())
}
