//! Programs that take an `RSA` or an `EC_KEY` out of a key and use the old functions.

use akv_emulator::{Curve, Persona};
use akv_tests::{Site, Task, cc};
use anyhow::Result;

/// Runs the program, and verifies every signature with plain OpenSSL.
fn program(persona: Persona) -> Result<()> {
    let site = Site::start(persona)?;
    let program = cc::compile("provider/old_structures", site.folder())?;
    let curves = [Curve::P256, Curve::P384, Curve::P521, Curve::P256K];
    let keys = [2048, 3072].map(|bits| site.rsa(bits));
    for reference in keys.into_iter().chain(curves.map(|curve| site.ec(curve))) {
        let reference = reference?;
        let key = site.key_file(&reference, "old.key")?;
        let public = site.public_key(&reference)?;
        let task = Task::new(&program).env("OPENSSL_CONF", site.path("openssl.cnf"));
        let output = task.arg(&key).arg(site.folder()).ok()?;
        let count: usize = output.text().trim().parse()?;
        assert!(count >= 5, "{}", output.describe());
        for number in 0..count {
            let (signature, message) =
                (site.text(&format!("signature-{number}")), site.text("message"));
            site.plain()
                .ok(&format!("dgst -sha256 -verify {public} -signature {signature} {message}"))?;
        }
    }
    Ok(())
}

#[test]
fn sign_and_decrypt_in_a_vault() -> Result<()> {
    program(Persona::Vault)
}

#[test]
fn sign_and_decrypt_in_a_managed_hsm() -> Result<()> {
    program(Persona::ManagedHsm)
}
