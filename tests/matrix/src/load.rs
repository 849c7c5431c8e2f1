//! Many clients.

use std::{
    sync::{
        Barrier, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use akv_tests::process::wait_until;
use anyhow::{Context as _, Result, ensure};
use rustls::pki_types::CertificateDer;

use crate::{
    client::{Client, Version},
    machine::LIMIT,
};

/// Clients at once.
const TOGETHER: usize = 50;

/// Threads that connect again and again while the server reloads.
const THREADS: usize = 4;

/// Handshakes with the new certificate after which a reload is complete.
const RENEWED: usize = 3 * THREADS;

const fn version(number: usize) -> Version {
    if number.is_multiple_of(2) { Version::Tls13 } else { Version::Tls12 }
}

/// Connects all at once.
pub(crate) fn together(client: &Client) -> Result<()> {
    let barrier = Barrier::new(TOGETHER);
    let results = thread::scope(|scope| {
        let threads: Vec<_> = (0..TOGETHER)
            .map(|number| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    client.connect(version(number)).map(drop)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
    });
    let failed: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    let first = failed.first().map_or_else(String::new, |error| format!("{error:#}"));
    ensure!(failed.is_empty(), "{} of {TOGETHER} clients failed: {first}", failed.len());
    Ok(())
}

/// Connects again and again during each of `reloads`, which returns the certificate that the
/// server must have afterwards. No handshake may fail.
pub(crate) fn during(
    client: &Client,
    reloads: usize,
    mut reload: impl FnMut() -> Result<CertificateDer<'static>>,
) -> Result<()> {
    let stop = AtomicBool::new(false);
    let expected: Mutex<Option<CertificateDer<'_>>> = Mutex::new(None);
    let (renewed, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failures = Mutex::new(Vec::new());
    let work = |number: usize| {
        let mut turn = number;
        while !stop.load(Ordering::SeqCst) {
            turn += 1;
            match client.connect(version(turn)) {
                Ok(found) => {
                    done.fetch_add(1, Ordering::SeqCst);
                    let expected = expected.lock().unwrap_or_else(PoisonError::into_inner);
                    if expected.as_ref() == Some(&found) {
                        renewed.fetch_add(1, Ordering::SeqCst);
                    }
                }
                Err(error) => {
                    let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
                    failures.push(format!("{error:#}"));
                    break;
                }
            }
        }
    };
    let failed = || !failures.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
    let result = thread::scope(|scope| {
        for number in 0..THREADS {
            scope.spawn(move || work(number));
        }
        let mut rounds = || -> Result<()> {
            for round in 1..=reloads {
                let before = done.load(Ordering::SeqCst);
                let busy = || done.load(Ordering::SeqCst) > before + THREADS || failed();
                wait_until("clients connect", LIMIT, || busy().then_some(()))?;
                let certificate = reload()?;
                *expected.lock().unwrap_or_else(PoisonError::into_inner) = Some(certificate);
                renewed.store(0, Ordering::SeqCst);
                let complete = || renewed.load(Ordering::SeqCst) >= RENEWED || failed();
                wait_until("the server has its new certificate", LIMIT, || {
                    complete().then_some(())
                })
                .with_context(|| format!("reload {round}"))?;
            }
            Ok(())
        };
        let result = rounds();
        stop.store(true, Ordering::SeqCst);
        result
    });
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    let done = done.load(Ordering::SeqCst);
    ensure!(
        failures.is_empty(),
        "{} of {} handshakes failed during reloads: {}",
        failures.len(),
        done + failures.len(),
        failures.join("; ")
    );
    result
}
