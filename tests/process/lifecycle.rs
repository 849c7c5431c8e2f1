//! Loading and unloading: no thread before the first use, no leak.

use std::time::Duration;

use akv_emulator::{Curve, Persona};
use akv_tests::{Site, cc, modules};
use anyhow::{Context as _, Result};

#[test]
fn a_module_is_loaded_and_unloaded_again_and_again() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let file = site.key_file(&key, "cycle.key")?;
    let mut task = cc::host(&site, "process/lifecycle")?
        .env("AKV_CREDENTIAL", "managed-identity")
        .env("OPENSSL_CONF", site.path("plain.cnf"))
        .arg(modules::provider()?)
        .args([file.as_str(), "25", "2"])
        .limit(Duration::from_secs(120));
    for (name, value) in site.settings() {
        if name != "access-token-file" {
            task = task.env(format!("AKV_{}", name.to_uppercase().replace('-', "_")), value);
        }
    }
    let output = task.ok()?;
    assert_eq!(output.stderr, "");
    let text = output.text();
    let (before, after) = text.trim().split_once(' ').context("two numbers")?;
    let growth = after.parse::<i64>()? - before.parse::<i64>()?;
    // A leaked client takes some hundred KiB, and there were 46 more.
    assert!(growth < 4096, "memory grew by {growth} KiB from {before} KiB");
    Ok(())
}
