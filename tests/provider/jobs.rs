//! OpenSSL's ASYNC jobs: an operation inside one pauses the job and not the thread.

use std::time::Duration;

use akv_emulator::{
    Curve, Fault,
    FaultKind::{
        self, EmptyBody, Forbidden, Hang, HsmRestore, HugeBody, NotJson, ResetAfterRequest, Status,
        TruncatedBody, Unauthorized, WrongShape, WrongSignature,
    },
    Latency, Operation, Persona,
};
use akv_tests::{
    Site, cc,
    jobs::{check, more_to_load, server, slow_site},
    modules,
};
use anyhow::{Context as _, Result};

use crate::incomplete::incomplete_file;

#[test]
fn every_state_of_a_paused_job_is_handled() -> Result<()> {
    let site = slow_site()?;
    let server = server(&site)?;
    for (key, name) in [(site.ec(Curve::P256)?, "ec"), (site.rsa(2048)?, "rsa")] {
        let certificate = site.text(&format!("{name}.pem"));
        let request = format!("req -new -x509 -key {key} -subj /CN=localhost -out {certificate}");
        site.openssl().ok(&request)?;
        let task = cc::host(&site, "provider/jobs")?.args([&key, &certificate, &server]);
        check(&task.ok()?.text(), name == "rsa")?;
    }
    Ok(())
}

#[test]
fn a_vault_that_does_not_answer_ends_the_operation_and_not_the_thread() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let file = site.key_file(&key, "late.key")?;
    site.vault().fault(Fault::new(Hang).on(Operation::Sign).forever());
    let task = cc::host(&site, "provider/jobs")?.args([file.as_str(), "late"]);
    assert_eq!(task.env("AKV_TIMEOUT", "1s").ok()?.text().trim(), "late");
    Ok(())
}

#[test]
fn a_vault_that_is_down_fails_jobs_at_once() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let file = site.key_file(&key, "down.key")?;
    site.vault().fault(Fault::new(Hang).on(Operation::Sign).forever());
    let task = cc::host(&site, "provider/jobs")?.args([file.as_str(), "down"]);
    let output = task.env("AKV_TIMEOUT", "500ms").ok()?.text();
    assert!(output.contains("fail-fast"), "{output}");
    // One more may be the attempt behind the caller's back.
    assert!((3..=4).contains(&site.vault().stats().faults));
    Ok(())
}

const fn status(status: u16) -> FaultKind {
    Status { status, retry_after: None }
}

/// Faults that are retried, and what the errors of the others contain.
const FAULTS: [(FaultKind, Option<&str>); 13] = [
    (status(429), None),
    (Status { status: 429, retry_after: Some(1) }, None),
    (status(503), None),
    (Unauthorized, None),
    (ResetAfterRequest, None),
    (TruncatedBody, None),
    (EmptyBody, None),
    (NotJson, None),
    (WrongShape, None),
    (WrongSignature, Some("signature")),
    (Forbidden, Some("403")),
    (HugeBody { bytes: 2_000_000 }, None),
    (HsmRestore, Some("409")),
];

#[test]
fn faults_of_the_service_are_retried_or_reported_in_jobs_as_elsewhere() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let file = site.key_file(&site.ec(Curve::P256)?, "faults.key")?;
    for (kind, error) in FAULTS {
        site.vault().clear_faults();
        // A third of the requests.
        site.vault().fault(Fault::new(kind.clone()).on(Operation::Sign).times(8));
        let task = cc::host(&site, "provider/jobs")?.args([file.as_str(), "faults"]).ok()?;
        let text = task.text();
        let succeeded = if error.is_some() { "16 of 24" } else { "24 of 24" };
        assert_eq!(text.lines().last(), Some(succeeded), "{kind:?}: {text}");
        let reported = error.map_or(0, |error| text.matches(error).count());
        assert_eq!(reported > 0, error.is_some(), "{kind:?}: {text}");
    }
    Ok(())
}

#[test]
fn the_provider_is_unloaded_while_a_job_is_paused() -> Result<()> {
    let site = slow_site()?;
    let file = site.key_file(&site.ec(Curve::P256)?, "unload.key")?;
    let mut task = cc::host(&site, "provider/job_unload")?
        .env("AKV_CREDENTIAL", "managed-identity")
        .env("OPENSSL_CONF", site.path("plain.cnf"))
        .arg(modules::provider()?)
        .arg(file);
    for (name, value) in site.settings() {
        if name != "access-token-file" {
            task = task.env(format!("AKV_{}", name.to_uppercase().replace('-', "_")), value);
        }
    }
    assert_eq!(task.ok()?.text().lines().collect::<Vec<_>>(), ["resumed", "forgotten"]);
    Ok(())
}

#[test]
fn each_libcrypto_of_a_process_pauses_its_own_job() -> Result<()> {
    let site = slow_site()?;
    let task = cc::host(&site, "provider/two_libcryptos")?.arg(site.path("libcrypto-copy.so"));
    assert_eq!(task.arg(site.ec(Curve::P256)?).ok()?.text().trim(), "passed");
    Ok(())
}

#[test]
fn the_setting_async_turns_pauses_off() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let task = cc::host(&site, "provider/jobs")?.args([site.ec(Curve::P256)?.as_str(), "off"]);
    assert_eq!(task.env("AKV_ASYNC", "no").ok()?.text().trim(), "off");
    Ok(())
}

#[test]
fn keys_certificates_and_lists_are_loaded_without_blocking() -> Result<()> {
    let site = slow_site()?;
    let key = site.ec(Curve::P256)?;
    let file = incomplete_file(&site, &key)?;
    let [certified, vault] = more_to_load(&site, &key)?;
    let task = cc::host(&site, "provider/job_loads")?;
    let output = task.args([&key, &file, &certified, &vault]).ok()?;
    let steps = ["uri", "key file", "certificate", "list", "abandoned"];
    assert_eq!(output.text().lines().collect::<Vec<_>>(), steps);
    Ok(())
}

/// Handshakes of a server whose clients leave at any moment, of a service with faults. One in ten
/// clients leaves.
#[expect(clippy::print_stdout, reason = "`cargo xtask soak` shows it")]
fn soak(handshakes: u64, limit: Duration) -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let certificate = site.text("soak.pem");
    let request = format!("req -new -x509 -key {key} -subj /CN=localhost -out {certificate}");
    site.openssl().ok(&request)?;
    let time = Duration::from_millis(5);
    site.vault().set_latency(Some(Latency::new(time, time)));
    // A second 401 within seconds would not be retried.
    for kind in [status(429), status(503), ResetAfterRequest, TruncatedBody, NotJson] {
        let fault = Fault::new(kind).on(Operation::Sign).forever();
        site.vault().fault(fault.probability(0.002));
    }
    let task = cc::host(&site, "provider/job_soak")?.limit(limit);
    let printed = task.args([&key, &certificate, &handshakes.to_string()]).ok()?.text();
    let mut growth = printed.split_whitespace().map(str::parse::<i64>);
    let (resident, descriptors) = (growth.next().context("KiB")??, growth.next().context("fds")??);
    // Connections that a fault has broken are replaced.
    assert!(descriptors <= 2, "{descriptors} descriptors");
    // A leaked job would cost 32 KiB, for one client in ten.
    let leaked = i64::try_from(handshakes)? / 10 * 32;
    assert!(resident < (leaked / 4).min(8 * 1024), "{resident} KiB");
    let faults = site.vault().stats().faults;
    println!("{handshakes} handshakes twice, {faults} faults: {resident} KiB more");
    assert!(faults > handshakes / 500, "{faults} faults");
    Ok(())
}

#[test]
fn clients_that_leave_during_the_handshake_leave_nothing_behind() -> Result<()> {
    soak(3_000, Duration::from_secs(120))
}

/// `cargo xtask soak` runs it.
#[test]
#[ignore = "takes minutes"]
fn clients_that_leave_during_the_handshake_leave_nothing_behind_for_a_long_time() -> Result<()> {
    let handshakes = std::env::var("AKV_SOAK_HANDSHAKES").unwrap_or_default();
    soak(handshakes.parse().unwrap_or(10_000), Duration::from_secs(3600))
}
