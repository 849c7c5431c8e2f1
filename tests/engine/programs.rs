//! C programs: libcrypto's promises, loading and unloading, threads and forks.

use std::time::Duration;

use akv_emulator::{Curve, Persona};
use akv_tests::{
    Site,
    engine::{certificate, program},
};
use anyhow::{Context as _, Result};

#[test]
fn functions_of_libcrypto_keep_their_promises() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let certificate_of_rsa = certificate(&site, &site.rsa(2048)?, "own")?;
    let other = certificate(&site, &site.rsa(3072)?, "other")?;
    for curve in [Curve::P256, Curve::P384, Curve::P521, Curve::P256K] {
        program(&site, "engine_keys")?
            .args([site.rsa(2048)?, site.ec(curve)?, certificate_of_rsa.clone(), other.clone()])
            .ok()?;
    }
    Ok(())
}

/// How much resident memory grows, in KiB, from a tenth of the cycles to the end.
fn growth(site: &Site, key: &str, loads: &str, cycles: &str) -> Result<i64> {
    let output = program(site, "engine_cycle")?
        .args([key, loads, cycles])
        .limit(Duration::from_secs(500))
        .ok()?;
    let text = output.text();
    let (before, after) = text.trim().split_once(' ').context("two numbers")?;
    Ok(after.parse::<i64>()? - before.parse::<i64>()?)
}

#[test]
fn keys_are_loaded_and_freed_again_and_again() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    for key in [site.ec(Curve::P256)?, site.rsa(2048)?] {
        let growth = growth(&site, &key, "1", "300")?;
        // 270 keys that stayed behind would take more.
        assert!(growth < 1024, "{key}: memory grew by {growth} KiB");
    }
    Ok(())
}

/// `cargo test -p akv-tests --test engine -- --ignored` runs it.
#[test]
#[ignore = "takes minutes"]
fn ten_thousand_times_too() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    for key in [site.ec(Curve::P256)?, site.rsa(2048)?] {
        let growth = growth(&site, &key, "1", "10000")?;
        assert!(growth < 2048, "{key}: memory grew by {growth} KiB");
    }
    Ok(())
}

#[test]
fn the_module_is_loaded_and_unloaded_again_and_again() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let growth = growth(&site, &site.ec(Curve::P256)?, "40", "2")?;
    // A client that stays behind takes some hundred KiB, and there were 36 more.
    assert!(growth < 4096, "memory grew by {growth} KiB");
    Ok(())
}

#[test]
fn children_sign_while_threads_of_their_parent_do() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    for key in [site.ec(Curve::P256)?, site.rsa(2048)?] {
        program(&site, "engine_fork")?
            .args([key.as_str(), "8"])
            .limit(Duration::from_secs(300))
            .ok()?;
    }
    Ok(())
}
