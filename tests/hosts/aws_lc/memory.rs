//! The server under valgrind's memcheck.

use std::time::Duration;

use akv_emulator::{Curve, Fault, FaultKind, Operation};
use anyhow::Result;
use nix::sys::signal::Signal;

use crate::stage::{Kind, LIMIT, Stage};

const VALGRIND: [&str; 5] = [
    "valgrind",
    "--quiet",
    "--error-exitcode=99",
    "--leak-check=full",
    "--errors-for-leak-kinds=definite,indirect",
];

/// Handshakes that succeed, fail and are abandoned, and one in flight at the end.
fn finds_nothing(kind: Kind) -> Result<()> {
    let stage = Stage::open(kind)?;
    // Under memcheck, programs run some twenty times slower.
    let running = stage.serve(&VALGRIND, &[("AKV_TIMEOUT", "120s")])?;
    let vault = stage.site.vault();
    vault.fault(Fault::latency(Duration::from_secs(8)).on(Operation::Sign).forever());
    running.connect_together(&["-tls1_2", "-tls1_3", "-tls1_2", "-tls1_3"])?;
    vault.clear_faults();
    vault.fault(Fault::status(403).on(Operation::Sign));
    let address = &running.address;
    stage.site.plain().fails(&format!("s_client -brief -connect {address}"))?;
    vault.clear_faults();
    vault.reset_stats();
    vault.fault(Fault::new(FaultKind::Hang).on(Operation::Sign).forever());
    let first = running.impatient_client()?;
    running.wait_for_faults(1)?;
    let second = running.impatient_client()?;
    running.wait_for_faults(2)?;
    // One leaves; the other waits until the end.
    drop(first);
    running.server.signal(Signal::SIGTERM)?;
    running.server.finish(LIMIT)?;
    drop(second);
    Ok(())
}

#[test]
fn memcheck_finds_nothing_with_an_rsa_key() -> Result<()> {
    finds_nothing(Kind::Rsa)
}

#[test]
fn memcheck_finds_nothing_with_an_ec_key() -> Result<()> {
    finds_nothing(Kind::Ec(Curve::P256))
}
