//! The engine in C programs for long, and under valgrind's memcheck: no read or write out of place,
//! no use of what was never set, nothing lost.

use std::time::Duration;

use akv_emulator::{Curve, Persona};
use akv_tests::{
    Site, Task,
    engine::{certificate, compile, growth},
    modules,
};
use anyhow::{Context as _, Result};

const LIMIT: Duration = Duration::from_secs(900);

/// Runs a C program under memcheck, whose findings are failures; returns its summary.
fn memcheck(site: &Site, program: &str, arguments: &[&str]) -> Result<String> {
    let log = site.text(&format!("{program}.memcheck"));
    let mut task = Task::new("valgrind")
        .args(["--tool=memcheck", "--error-exitcode=99", "--num-callers=40", "--leak-check=full"])
        .args(["--errors-for-leak-kinds=definite,indirect", "--show-leak-kinds=definite,indirect"])
        .arg(format!("--log-file={log}"))
        .arg(compile(site, program, &["-lcrypto"])?)
        .arg(modules::engine()?)
        .args(arguments)
        // Programs run some twenty times slower.
        .env("AKV_TIMEOUT", "120s")
        .env("OPENSSL_CONF", akv_tests::engine::plain(site)?.config())
        .limit(LIMIT);
    for (name, value) in site.settings() {
        task = task.env(format!("AKV_{}", name.to_uppercase().replace('-', "_")), value);
    }
    let output = task.run()?;
    let said = std::fs::read_to_string(&log)?;
    anyhow::ensure!(output.status.success(), "{}\n{said}", output.describe());
    Ok(said)
}

/// Bytes that are still in use when the program ends.
fn in_use(summary: &str) -> Result<i64> {
    let line = summary.lines().find_map(|line| line.split_once("in use at exit:"));
    let number = line.and_then(|(_, rest)| rest.split_whitespace().next());
    Ok(number.context("no summary")?.replace(',', "").parse()?)
}

#[test]
fn keys_that_are_freed_leave_nothing_behind() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    for key in [site.ec(Curve::P256)?, site.rsa(2048)?] {
        let few = in_use(&memcheck(&site, "engine_cycle", &[&key, "1", "2"])?)?;
        let many = in_use(&memcheck(&site, "engine_cycle", &[&key, "1", "12"])?)?;
        // A key that stays has its public half and its reference, some hundred bytes.
        assert!(many - few < 1000, "{key}: {few} bytes in use, then {many}");
    }
    Ok(())
}

#[test]
fn unloading_leaves_nothing_behind() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let few = in_use(&memcheck(&site, "engine_cycle", &[&key, "2", "1"])?)?;
    let many = in_use(&memcheck(&site, "engine_cycle", &[&key, "12", "1"])?)?;
    // What stays for each, some 3 KiB, is a task that will see, when its token's time comes, that
    // the client is gone.
    assert!(many - few < 10 * 5000, "{few} bytes in use, then {many}");
    Ok(())
}

#[test]
fn every_function_minds_its_buffers() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let (rsa, ec) = (site.rsa(2048)?, site.ec(Curve::P256)?);
    let own = certificate(&site, &rsa, "own")?;
    let other = certificate(&site, &site.rsa(3072)?, "other")?;
    memcheck(&site, "engine_keys", &[&rsa, &ec, &own, &other])?;
    Ok(())
}

/// `cargo test -p akv-tests --test engine_memory -- --ignored` runs it.
#[test]
#[ignore = "takes minutes"]
fn ten_thousand_keys_leave_nothing_behind() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    for key in [site.ec(Curve::P256)?, site.rsa(2048)?] {
        let growth = growth(&site, &key, "1", "10000")?;
        // 9 000 keys that stayed behind would take more.
        assert!(growth < 4096, "{key}: memory grew by {growth} KiB");
    }
    Ok(())
}
