//! OpenSSL's ASYNC jobs with the engine, as `tests/provider/jobs.rs` for the provider.

use std::{fs, path::Path};

use akv_core::{KeyFile, Settings, blocking::Client};
use akv_emulator::Curve;
use akv_tests::{
    Site, Task,
    engine::{certificate, compile, plain},
    jobs::{check, server, slow_site},
    modules,
};
use anyhow::Result;

#[test]
fn every_state_of_a_paused_job_is_handled() -> Result<()> {
    let site = slow_site()?;
    let program = compile(&site, "engine/jobs", &["-lssl", "-lcrypto"])?;
    let server = server(&site)?;
    for (key, name) in [(site.ec(Curve::P256)?, "jobs-ec"), (site.rsa(2048)?, "jobs-rsa")] {
        let certificate = certificate(&site, &key, name)?;
        let output = task(&site, &program)?.args([&key, &certificate, &server]).ok()?;
        check(&output.text(), name == "jobs-rsa")?;
    }
    Ok(())
}

#[test]
fn keys_are_loaded_without_blocking() -> Result<()> {
    let site = slow_site()?;
    let key = site.ec(Curve::P256)?;
    let client = Client::new(Settings::builder().build()?);
    let file = KeyFile::new(&client.reference(&key)?, None);
    fs::write(site.path("incomplete.key"), file.to_pkcs8_pem())?;
    let program = compile(&site, "engine/job_loads", &["-lcrypto"])?;
    let output = task(&site, &program)?.args([&key, &site.text("incomplete.key")]).ok()?;
    let steps = ["private key", "public key", "key file", "abandoned"];
    assert_eq!(output.text().lines().collect::<Vec<_>>(), steps);
    Ok(())
}

/// The program, with the module as its first argument and the settings in its environment.
fn task(site: &Site, program: &Path) -> Result<Task> {
    let mut task =
        Task::new(program).env("OPENSSL_CONF", plain(site)?.config()).arg(modules::engine()?);
    for (name, value) in site.settings() {
        task = task.env(format!("AKV_{}", name.to_uppercase().replace('-', "_")), value);
    }
    Ok(task)
}
