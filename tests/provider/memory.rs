//! The module in C programs under valgrind's memcheck: no invalid read or write, no use of
//! uninitialized memory, no leak.
//!
//! helgrind and drd do not help here: they track the locks of pthreads but not the atomics on
//! which tokio's and Rust's own locks are built, and report thousands of races that do not exist.

mod incomplete;

use std::{fs, time::Duration};

use akv_emulator::{Curve, Persona};
use akv_tests::{
    Site, Task, cc,
    jobs::{more_to_load, server, slow_site},
    modules,
};
use anyhow::{Context as _, Result, bail};

use self::incomplete::incomplete_file;

const LIMIT: Duration = Duration::from_secs(2000);

/// The leaks of a run, in bytes.
struct Leaks {
    definitely: u64,
    indirectly: u64,
    in_use: u64,
    log: String,
}

/// Runs a C program under memcheck. Errors of memcheck, in its children too, are failures.
fn memcheck(site: &Site, program: &str, options: &[&str], arguments: &[&str]) -> Result<String> {
    let program = cc::compile(program, site.folder())?;
    let log = site.path("memcheck.log");
    let mut task = Task::new("valgrind")
        .args([
            "--tool=memcheck",
            "--error-exitcode=99",
            "--errors-for-leak-kinds=definite,indirect",
        ])
        .arg(format!("--log-file={}.%p", log.display()))
        .args(options)
        .arg(program)
        .args(arguments)
        // Under memcheck programs run some twenty times slower; otherwise the identity endpoint
        // would time out.
        .env("AKV_TIMEOUT", "120s")
        // A child does not free inherited memory, which looks like a leak.
        .env("WITHOUT_CHILDREN", "1")
        .limit(LIMIT);
    for (name, value) in site.settings() {
        task = task.env(format!("AKV_{}", name.to_uppercase().replace('-', "_")), value);
    }
    let config = site.configure("valgrind.cnf", &modules::provider()?, &[])?;
    let output = task.env("OPENSSL_CONF", config).run()?;
    let mut logs = String::new();
    for entry in fs::read_dir(site.folder())? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("memcheck.log."))
        {
            logs.push_str(&fs::read_to_string(&path)?);
            fs::remove_file(&path)?;
        }
    }
    if !output.status.success() {
        bail!("{}\n{logs}", output.describe());
    }
    Ok(logs)
}

/// Loads, signs and unloads this many times.
fn cycles(site: &Site, key: &str, count: &str) -> Result<Leaks> {
    let module = modules::provider()?.display().to_string();
    let options = ["--leak-check=full", "--show-leak-kinds=definite,indirect", "--num-callers=40"];
    let log = memcheck(site, "process/lifecycle", &options, &[&module, key, count, "1"])?;
    let bytes = |what: &str| -> Result<u64> {
        let line = log.lines().find_map(|line| line.split_once(what)).context("a summary")?;
        let number = line.1.split_whitespace().next().context("a number")?;
        Ok(number.replace(',', "").parse()?)
    };
    let (definitely, indirectly) = (bytes("definitely lost:")?, bytes("indirectly lost:")?);
    Ok(Leaks { definitely, indirectly, in_use: bytes("in use at exit:")?, log })
}

fn nothing_is_lost(few: &str, many: &str) -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let key = site.key_file(&key, "memcheck.key")?;
    let few_leaks = cycles(&site, &key, few)?;
    // Each cycle loads the module twice. Each load leaves some 3 KiB: a task that ends when its
    // token is due and the client no longer exists.
    let loads = 2 * (many.parse::<u64>()? - few.parse::<u64>()?);
    let mut growth = 0;
    // A connection that is being closed when the program ends still owns its client, with all the
    // trusted certificates. A real leak occurs every time.
    for _ in 0..3 {
        let many_leaks = cycles(&site, &key, many)?;
        for leaks in [&few_leaks, &many_leaks] {
            assert_eq!((leaks.definitely, leaks.indirectly), (0, 0), "{}", leaks.log);
        }
        growth = many_leaks.in_use.saturating_sub(few_leaks.in_use);
        if growth < loads * 5000 {
            return Ok(());
        }
    }
    bail!("{growth} bytes more in use after {loads} more loads")
}

#[test]
fn memcheck_finds_nothing_after_loading_signing_and_unloading() -> Result<()> {
    nothing_is_lost("2", "12")
}

/// `cargo xtask valgrind` runs it.
#[test]
#[ignore = "takes minutes"]
fn memcheck_finds_nothing_after_two_hundred_loads() -> Result<()> {
    nothing_is_lost("1", "200")
}

#[test]
fn memcheck_finds_nothing_in_children_of_fork() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let key = site.key_file(&key, "fork.key")?;
    // Memory that only the parent's threads referenced is lost in a child, as intended.
    let log = memcheck(&site, "process/fork_storm", &["--leak-check=no"], &[&key, "7", "2"])?;
    assert!(log.matches("ERROR SUMMARY: 0 errors").count() >= 7, "{log}");
    Ok(())
}

/// Structures of keys, their copies, and keys created from them.
#[test]
fn memcheck_finds_nothing_after_old_structures_are_freed() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let options = ["--leak-check=full", "--show-leak-kinds=definite,indirect"];
    let folder = site.folder().display().to_string();
    for reference in [site.rsa(2048)?, site.ec(Curve::P256)?] {
        let key = site.key_file(&reference, "old.key")?;
        let log = memcheck(&site, "provider/old_structures", &options, &[&key, &folder])?;
        assert!(log.contains("ERROR SUMMARY: 0 errors"), "{log}");
    }
    Ok(())
}

/// Covers every libcrypto function that keys of other providers use.
#[test]
fn memcheck_finds_nothing_after_keys_of_other_providers_are_freed() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let options = ["--leak-check=full", "--show-leak-kinds=definite,indirect"];
    let log = memcheck(&site, "provider/preferred", &options, &[])?;
    assert!(log.contains("ERROR SUMMARY: 0 errors"), "{log}");
    Ok(())
}

/// Jobs that are abandoned on purpose keep their memory, so leaks are not searched for.
#[test]
fn memcheck_finds_nothing_while_jobs_are_paused_abandoned_and_forked() -> Result<()> {
    let site = slow_site()?;
    let key = site.ec(Curve::P256)?;
    let certificate = site.text("jobs.pem");
    let request = format!("req -new -x509 -key {key} -subj /CN=localhost -out {certificate}");
    site.openssl().ok(&request)?;
    let server = server(&site)?;
    memcheck(&site, "provider/jobs", &[], &[&key, &certificate, &server]).map(drop)
}

/// As above.
#[test]
fn memcheck_finds_nothing_while_loads_are_paused_or_the_provider_is_unloaded() -> Result<()> {
    let site = slow_site()?;
    let key = site.ec(Curve::P256)?;
    let file = site.key_file(&key, "unload.key")?;
    let module = modules::provider()?.display().to_string();
    memcheck(&site, "provider/job_unload", &[], &[&module, &file])?;
    let incomplete = incomplete_file(&site, &key)?;
    let [certified, vault] = more_to_load(&site, &key)?;
    memcheck(&site, "provider/job_loads", &[], &[&key, &incomplete, &certified, &vault]).map(drop)
}
