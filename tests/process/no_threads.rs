//! Programs that must not start threads sign on their existing threads.

use std::time::Duration;

use akv_emulator::{Curve, Fault, Operation, Persona, Stats};
use akv_tests::{Site, cc};
use anyhow::Result;

fn sign(site: &Site, key: &str, how: &str, threads: usize, rounds: usize) -> Result<Stats> {
    let file = site.key_file(key, "own.key")?;
    site.vault().reset_stats();
    let (threads_text, rounds_text) = (threads.to_string(), rounds.to_string());
    let output = cc::host(site, "process/no_threads")?
        .args([file.as_str(), how, &threads_text, &rounds_text])
        .limit(Duration::from_secs(150))
        .ok()?;
    assert_eq!((output.text().trim(), output.stderr.as_str()), ("signed", ""));
    Ok(site.vault().stats())
}

#[test]
fn one_thread_signs_over_one_connection() -> Result<()> {
    for persona in [Persona::Vault, Persona::ManagedHsm] {
        let site = Site::start(persona)?;
        for (key, how) in [(site.ec(Curve::P256)?, "limit"), (site.rsa(2048)?, "filter")] {
            let stats = sign(&site, &key, how, 0, 20)?;
            assert_eq!((stats.sign, stats.tls_handshakes), (20, 1), "{stats:?}");
            assert_eq!(stats.token_requests, 1, "{stats:?}");
        }
    }
    Ok(())
}

#[test]
fn threads_of_the_program_sign_at_the_same_time() -> Result<()> {
    for persona in [Persona::Vault, Persona::ManagedHsm] {
        let site = Site::start(persona)?;
        let key = site.ec(Curve::P256)?;
        for how in ["limit", "filter"] {
            let stats = sign(&site, &key, how, 8, 10)?;
            assert_eq!(stats.sign, 90, "{stats:?}");
        }
    }
    Ok(())
}

#[test]
fn failures_of_the_network_are_retried() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    for fault in [Fault::status(503), Fault::throttled()] {
        site.vault().fault(fault.on(Operation::Sign).times(3));
        let stats = sign(&site, &key, "limit", 2, 5)?;
        assert_eq!(stats.faults, 3, "{stats:?}");
    }
    Ok(())
}
