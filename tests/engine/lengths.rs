//! The engine writes no more than the buffer size in the manual pages, whatever the vault returns.

use std::fs;

use akv_emulator::{Curve, Operation, Persona};
use akv_tests::{
    Site, Task,
    engine::{compile, plain, public_key},
    lengths::Case,
};
use anyhow::{Context as _, Result};

/// The program with these arguments, with or without checks of signatures.
fn task(site: &Site, program: &std::path::Path, verify: &str, arguments: &[&str]) -> Result<Task> {
    let mut task = Task::new(program)
        .env("OPENSSL_CONF", plain(site)?.config())
        .env("AKV_VERIFY_SIGNATURES", verify)
        .arg(akv_tests::modules::engine()?);
    for (name, value) in site.settings() {
        task = task.env(format!("AKV_{}", name.to_uppercase().replace('-', "_")), value);
    }
    Ok(task.args(arguments))
}

#[test]
fn signatures_fit_the_documented_size() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let compiled = compile(&site, "engine/lengths", &["-lcrypto"])?;
    let (rsa, p256, p521) = (site.rsa(2048)?, site.ec(Curve::P256)?, site.ec(Curve::P521)?);
    for (key, operation, size) in [
        (&rsa, "rsa-sign", 256),
        (&rsa, "private-encrypt", 256),
        (&rsa, "pss", 256),
        (&p256, "ecdsa-sign", 64),
        (&p521, "ecdsa-sign", 132),
    ] {
        for verify in ["yes", "no"] {
            // Numbers of ECDSA that are all ones are beyond the order of the curve.
            let passes = verify == "no" && size == 256;
            let program = || task(&site, &compiled, verify, &[key, operation]);
            Case { on: Operation::Sign, lengths: size..=size, passes, program: &program }
                .check(&site)
                .with_context(|| format!("{operation} {key} {verify}"))?;
        }
    }
    Ok(())
}

#[test]
fn plaintexts_fit_the_documented_size() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let compiled = compile(&site, "engine/lengths", &["-lcrypto"])?;
    let key = site.rsa(2048)?;
    let public = public_key(&site, &key)?;
    fs::write(site.path("plain"), "a plaintext")?;
    for (operation, options, max) in [
        ("pkcs1", "-pkeyopt rsa_padding_mode:pkcs1", 245),
        ("oaep", "-pkeyopt rsa_padding_mode:oaep", 214),
        ("oaep-256", "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256", 190),
    ] {
        let file = site.text(&format!("{operation}.bin"));
        plain(&site)?.ok(&format!(
            "pkeyutl -encrypt -pubin -inkey {public} -in plain -out {file} {options}"
        ))?;
        for verify in ["yes", "no"] {
            let program = || task(&site, &compiled, verify, &[&key, operation, &file]);
            Case { on: Operation::Decrypt, lengths: 0..=max, passes: true, program: &program }
                .check(&site)
                .with_context(|| operation.to_owned())?;
        }
    }
    Ok(())
}
