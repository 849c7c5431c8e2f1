//! Checks before the cases begin: programs, a token, a reachable vault, permissions.

use akv_core::{Curve, NewKey, SignatureAlgorithm::Es256};
use akv_tests::{Installation, modules, process::which};
use anyhow::{Context as _, Result};

use crate::stage::Stage;

/// Prints the programs that the cases will use, and those that are missing: their cases cannot run.
///
/// # Errors
/// The modules, or `openssl`, which verifies every signature, are missing.
pub(crate) fn programs() -> Result<()> {
    let version = Installation::selected().version().context("`openssl` does not run")?;
    println!("bringing the modules up to date");
    println!("modules: {}", modules::folder()?.display());
    println!("openssl: {version}");
    for program in ["nginx", "cc"] {
        match which(program) {
            Some(path) => println!("{program}: {}", path.display()),
            None => println!("{program}: missing, its cases do not run"),
        }
    }
    Ok(())
}

/// Tries each permission that the cases need with one key, so that a missing one is reported once,
/// by name.
///
/// # Errors
/// The first step that failed, with the service's error.
pub(crate) fn permissions(stage: &Stage) -> Result<()> {
    let vault = &stage.vault;
    let step = |text: &str| format!("{} is not usable: {text}", stage.target.reference(""));
    stage
        .block_on(async { vault.list().next_page().await })
        .with_context(|| step("keys cannot be listed"))?;
    let name = stage.keys.name("preflight");
    let key = stage
        .block_on(vault.create(&name, NewKey::ec(Curve::P256)))
        .with_context(|| step("keys cannot be created"))?;
    let key = stage
        .block_on(stage.client.key(key.reference()))
        .with_context(|| step("keys cannot be read"))?;
    stage.block_on(key.sign(Es256, &[1; 32])).with_context(|| step("keys cannot sign"))?;
    stage.block_on(vault.rotate(&name)).with_context(|| step("keys cannot be rotated"))?;
    stage.block_on(vault.delete(&name)).with_context(|| step("keys cannot be deleted"))?;
    println!(
        "{}: list, create, get, sign, rotate and delete are permitted",
        stage.target.reference("")
    );
    Ok(())
}
