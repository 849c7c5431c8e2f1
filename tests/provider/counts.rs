//! Requests, connections and memory of a process, and the effect of fork on them.

use std::time::Duration;

use akv_emulator::{Curve, Persona};
use akv_tests::{Output, Site, cc};
use anyhow::{Context as _, Result};

/// A run of ten thousand signatures on a small, busy machine.
const LIMIT: Duration = Duration::from_secs(300);

fn run(site: &Site, program: &str, arguments: &[&str]) -> Result<Output> {
    cc::host(site, program)?.args(arguments).limit(LIMIT).ok()
}

#[test]
fn ten_thousand_signatures_take_one_token_and_few_connections() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let output = run(&site, "provider/sign_many", &[&key, "10000", "4"])?;
    let stats = site.vault().stats();
    assert_eq!((stats.sign, stats.get_key), (11_000, 1), "{stats:?}");
    assert_eq!(stats.token_requests, 1, "{stats:?}");
    assert!(stats.connections <= 5, "{stats:?}");
    assert!(stats.unauthorized <= 1, "{stats:?}");

    let text = output.text();
    let (before, after) = text.trim().split_once(' ').context("two numbers")?;
    let growth = after.parse::<i64>()? - before.parse::<i64>()?;
    // A leak of 200 bytes for each signature would be 2 MB.
    assert!(growth < 1500, "memory grew by {growth} KiB from {before} KiB");
    Ok(())
}

#[test]
fn a_managed_hsm_gets_few_connections_too() -> Result<()> {
    let site = Site::start(Persona::ManagedHsm)?;
    let key = site.rsa(2048)?;
    run(&site, "provider/sign_many", &[&key, "400", "4"])?;
    let stats = site.vault().stats();
    assert_eq!((stats.sign, stats.token_requests), (440, 1), "{stats:?}");
    // HTTP/1.1: one for each concurrent signature, and one for the key.
    assert!(stats.connections <= 8, "{stats:?}");
    Ok(())
}

#[test]
fn fork_children_sign_at_once_while_the_parent_goes_on() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let file = site.key_file(&key, "fork.key")?;
    for key in [&key, &file] {
        site.vault().reset_stats();
        let output = run(&site, "process/fork_sign", &[key, "8", "5"])?;
        assert_eq!(output.text().trim(), "8", "{}", output.describe());
        assert_eq!(output.stderr, "", "no warnings on success");
        let stats = site.vault().stats();
        // The parent, eight children, four grandchildren.
        assert!(stats.connections <= 2 * 13, "{stats:?}");
        assert!(stats.token_requests <= 13, "{stats:?}");
    }
    Ok(())
}
