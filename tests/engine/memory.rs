//! The engine in long-running C programs, and under valgrind's memcheck: no invalid read or write,
//! no use of uninitialized memory, no leak.

use std::time::Duration;

use akv_emulator::{Curve, Persona};
use akv_tests::{
    Site, Task,
    engine::{certificate, compile, growth},
    modules,
};
use anyhow::{Result, ensure};

const LIMIT: Duration = Duration::from_secs(900);

/// Runs a C program under memcheck, whose findings, including leaks, are failures.
fn memcheck(site: &Site, program: &str, arguments: &[&str]) -> Result<()> {
    let log = site.text("memcheck.log");
    let mut task = Task::new("valgrind")
        .args(["--tool=memcheck", "--error-exitcode=99", "--num-callers=40", "--leak-check=full"])
        .args(["--errors-for-leak-kinds=definite,indirect", "--show-leak-kinds=definite,indirect"])
        .arg(format!("--log-file={log}"))
        .arg(compile(site, program, &["-lcrypto"])?)
        .arg(modules::engine()?)
        .args(arguments)
        // Under memcheck, programs run some twenty times slower.
        .env("AKV_TIMEOUT", "120s")
        .env("AKV_RSA_KEY_EXCHANGE", "yes")
        .env("OPENSSL_CONF", akv_tests::engine::plain(site)?.config())
        .limit(LIMIT);
    for (name, value) in site.settings() {
        task = task.env(format!("AKV_{}", name.to_uppercase().replace('-', "_")), value);
    }
    let output = task.run()?;
    let said = std::fs::read_to_string(&log)?;
    ensure!(output.status.success(), "{}\n{said}", output.describe());
    ensure!(said.contains("ERROR SUMMARY: 0 errors"), "{said}");
    Ok(())
}

/// Counts memory that nothing points to. Memory still in use at the end does not count: the runtime
/// may be about to close its last connection.
#[test]
fn memcheck_finds_nothing_after_keys_and_engines_are_freed() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    for key in [site.ec(Curve::P256)?, site.rsa(2048)?] {
        memcheck(&site, "engine/cycle", &[&key, "1", "8"])?;
        memcheck(&site, "engine/cycle", &[&key, "6", "1"])?;
    }
    Ok(())
}

#[test]
fn memcheck_finds_nothing_in_every_function() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let (rsa, ec) = (site.rsa(2048)?, site.ec(Curve::P256)?);
    let own = certificate(&site, &rsa, "own")?;
    let other = certificate(&site, &site.rsa(3072)?, "other")?;
    memcheck(&site, "engine/keys", &[&rsa, &ec, &own, &other])?;
    Ok(())
}

/// `cargo test -p akv-tests --test engine_memory -- --ignored` runs it.
#[test]
#[ignore = "takes minutes"]
fn memory_does_not_grow_over_ten_thousand_keys() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    for key in [site.ec(Curve::P256)?, site.rsa(2048)?] {
        let growth = growth(&site, &key, "1", "10000")?;
        // 9 000 leaked keys would take more.
        assert!(growth < 4096, "{key}: memory grew by {growth} KiB");
    }
    Ok(())
}
