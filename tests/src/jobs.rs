//! Checks the output of `tests/c/job_steps.h`, which uses keys inside ASYNC jobs.

use std::{fs, time::Duration};

use akv_emulator::{Latency, NewKey, Persona};
use anyhow::{Context as _, Result};

use crate::{installation::Installation, site::Site};

/// The steps of every key, of which the last [`FROM_3`] need OpenSSL 3.
const STEPS: [&str; 14] = [
    "together",
    "early",
    "spinning",
    "blocked",
    "again",
    "abandoned",
    "ended thread",
    "cancelled",
    "fork",
    "closed descriptors",
    "handshakes",
    "nested",
    "callback",
    "callback of libssl",
];

const FROM_3: usize = 2;

/// A vault that takes long enough for all jobs to be paused at the same time.
///
/// # Errors
/// It cannot be started.
pub fn slow_site() -> Result<Site> {
    let site = Site::start(Persona::Vault)?;
    let time = Duration::from_millis(400);
    site.vault().set_latency(Some(Latency::new(time, time)));
    Ok(site)
}

/// What `tests/c/provider/job_loads.c` loads besides a key of the vault: a key with a certificate, and
/// the vault, which has three keys in all.
///
/// # Errors
/// The keys cannot be created.
pub fn more_to_load(site: &Site, key: &str) -> Result<[String; 2]> {
    site.rsa(2048)?;
    site.vault().create_certificate(NewKey::rsa("certified", 2048), "CN=localhost")?;
    let vault = key.rsplit_once(':').context("a key's name")?.0;
    Ok(["certified", ""].map(|name| format!("{vault}:{name}")))
}

/// A PEM file with the key and the certificate of a TLS server without a vault.
///
/// # Errors
/// It cannot be created.
pub fn server(site: &Site) -> Result<String> {
    let [key, certificate, both] = ["server.key", "server.crt", "server.both"];
    site.plain().ok(&format!(
        "req -new -x509 -newkey rsa:2048 -nodes -keyout {key} -subj /CN=localhost -out {certificate}"
    ))?;
    let text = fs::read_to_string(site.path(certificate))? + &fs::read_to_string(site.path(key))?;
    fs::write(site.path(both), text)?;
    Ok(site.text(both))
}

/// Checks that every step has passed.
///
/// # Errors
/// The version of OpenSSL is unknown.
///
/// # Panics
/// A step is missing.
pub fn check(printed: &str, is_rsa: bool) -> Result<()> {
    let has_callbacks = !Installation::selected().version()?.starts_with("1.1.1");
    let steps = if has_callbacks { &STEPS[..] } else { &STEPS[..STEPS.len() - FROM_3] };
    let more = if is_rsa { &["client", "decrypts"][..] } else { &["client"] };
    assert_eq!(printed.lines().collect::<Vec<_>>(), [steps, more].concat());
    Ok(())
}
