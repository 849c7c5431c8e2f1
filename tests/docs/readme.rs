//! The ten minutes of the README, after the build.

use akv_emulator::Persona;
use akv_tests::docs::FRONT;
use anyhow::{Context as _, Result};

use crate::scene::{Scene, page};

/// The section's commands, as one script.
fn steps() -> Result<String> {
    let page = page(FRONT)?;
    let blocks = page.blocks.iter().filter(|block| block.language == "sh");
    let steps: Vec<&str> = blocks.map(|block| block.code.as_str()).collect();
    let start = steps.iter().position(|code| code.starts_with("cargo xtask build\n"));
    let end = steps.iter().position(|code| code.contains("-s quit")).context("nginx is stopped")?;
    Ok(steps[start.context("the first step")?..=end].concat())
}

#[test]
fn ten_minutes_lead_to_a_keyless_nginx() -> Result<()> {
    let scene = Scene::open(Persona::Vault, false)?;
    let shown = scene.run(&format!(
        "unset OPENSSL_CONF AKV_ENDPOINT AKV_CA_FILE IMDS_ENDPOINT OPENSSL_MODULES\n{}",
        steps()?
    ))?;
    assert_eq!(shown.text(), "signed in the vault\n", "{}", shown.describe());
    let key = scene.site.read("target/keyless/site.key")?;
    assert!(key.starts_with("-----BEGIN AKV PRIVATE KEY-----"), "{key}");
    assert_eq!(scene.site.vault().stats().requests, 0, "the README's own vault was used");
    Ok(())
}
