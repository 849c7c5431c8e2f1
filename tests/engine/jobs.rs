//! OpenSSL's ASYNC jobs with the engine, as `tests/provider/jobs.rs` for the provider.

use akv_emulator::Curve;
use akv_tests::{
    Task,
    engine::{certificate, compile, plain},
    jobs::{check, slow_site},
    modules,
};
use anyhow::Result;

#[test]
fn every_state_of_a_paused_job_is_handled() -> Result<()> {
    let site = slow_site()?;
    let program = compile(&site, "engine/jobs", &["-lssl", "-lcrypto"])?;
    for (key, name) in [(site.ec(Curve::P256)?, "jobs-ec"), (site.rsa(2048)?, "jobs-rsa")] {
        let certificate = certificate(&site, &key, name)?;
        let mut task = Task::new(&program)
            .env("OPENSSL_CONF", plain(&site)?.config())
            .arg(modules::engine()?)
            .args([&key, &certificate]);
        for (name, value) in site.settings() {
            task = task.env(format!("AKV_{}", name.to_uppercase().replace('-', "_")), value);
        }
        check(&task.ok()?.text())?;
    }
    Ok(())
}
