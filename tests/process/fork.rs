//! `fork` while other threads of the parent are in operations.

use std::time::Duration;

use akv_emulator::{Curve, Fault, FaultKind, Operation, Persona};
use akv_tests::{Site, cc};
use anyhow::Result;
use nix::{
    sched::{CpuSet, sched_getcpu, sched_setaffinity},
    unistd::Pid,
};

/// Hundreds of processes on a small, busy machine. The programs' own alarms are shorter.
const LIMIT: Duration = Duration::from_secs(300);

fn storm(site: &Site, key: &str, forks: &str, threads: &str) -> Result<()> {
    let output =
        cc::host(site, "process/fork_storm")?.args([key, forks, threads]).limit(LIMIT).ok()?;
    assert_eq!(output.text().trim(), forks, "{}", output.describe());
    assert_eq!(output.stderr, "", "no warnings on success");
    Ok(())
}

#[test]
fn fork_makes_two_hundred_children_that_sign_while_eight_threads_do() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    storm(&site, &site.key_file(&key, "storm.key")?, "200", "8")?;
    // Every child had its own client.
    assert!(site.vault().stats().connections > 130, "{:?}", site.vault().stats());
    Ok(())
}

/// A thread that signs alone drives the runtime itself, and is interrupted by each fork.
#[test]
fn fork_makes_children_that_sign_while_one_thread_does() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    storm(&site, &site.key_file(&site.ec(Curve::P256)?, "lone.key")?, "100", "1")
}

#[test]
fn fork_makes_children_that_sign_in_jobs_while_jobs_of_the_parent_are_paused() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let file = site.key_file(&site.ec(Curve::P256)?, "jobs.key")?;
    let task = cc::host(&site, "process/fork_storm")?.args([file.as_str(), "100", "8", "jobs"]);
    let output = task.limit(LIMIT).ok()?;
    assert_eq!((output.text().trim(), output.stderr.as_str()), ("100", ""));
    Ok(())
}

/// Pins this thread, and everything that it starts from now on, to its current processor.
fn stay_on_one_processor() -> Result<()> {
    let mut one = CpuSet::new();
    one.set(sched_getcpu()?)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &one)?)
}

#[test]
fn fork_during_the_first_connection_makes_children_that_sign() -> Result<()> {
    // The holder of a lock is then often interrupted while forks happen.
    stay_on_one_processor()?;
    let site = Site::start(Persona::ManagedHsm)?;
    let key = site.ec(Curve::P256)?;
    let file = site.key_file(&key, "first.key")?;
    // The forks happen while the runtime is created, names are resolved, TLS begins.
    for _ in 0..12 {
        storm(&site, &file, "6", "8")?;
    }
    Ok(())
}

#[test]
fn fork_child_inherits_the_outage_state_of_its_parent() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.key_file(&site.ec(Curve::P256)?, "outage.key")?;
    site.vault().fault(Fault::new(FaultKind::Hang).on(Operation::Sign).forever());
    let task = cc::host(&site, "process/fork_outage")?.env("AKV_TIMEOUT", "1s").arg(key);
    assert_eq!(task.ok()?.text().trim(), "3", "signatures that ran out their deadline");
    Ok(())
}
