//! Operations that are started and left: many in flight on one thread, cancelled, awaited.

use std::time::{Duration, Instant};

use akv_core::{
    SignatureAlgorithm::Es256,
    blocking::{Client, Key, Pending},
};
use akv_emulator::{Curve, Fault, FaultKind, Latency, NewKey, Operation, Persona};

use super::Vault;

/// Longer than any machine needs.
const LIMIT: Duration = Duration::from_secs(30);

fn start(persona: Persona) -> (Vault, Client, Key) {
    let vault = Vault::of(persona);
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let client = vault.client(&[("timeout", "20s")]);
    let kind = if persona == Persona::Vault { "vault" } else { "managedHsm" };
    let key = client.key(&client.reference(&format!("{kind}:myVault:ec")).unwrap()).unwrap();
    // Token and connection are there.
    key.sign(Es256, &[7; 32]).unwrap();
    vault.emulator.reset_stats();
    (vault, client, key)
}

fn sign(key: &Key, count: usize) -> Vec<Pending<Vec<u8>>> {
    (0..count).map(|_| key.start_sign(Es256, &[7; 32]).unwrap()).collect()
}

fn ended(mut pending: Pending<Vec<u8>>, key: &Key) {
    let signature = pending.wait_for(LIMIT).unwrap().expect("an end");
    key.public_key().verify_digest(Es256, &[7; 32], &signature).unwrap();
}

/// Waits until a condition of another thread holds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LIMIT, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn pending_operations_are_in_flight_together_on_one_thread() {
    for persona in [Persona::Vault, Persona::ManagedHsm] {
        let (vault, client, key) = start(persona);
        let time = Duration::from_millis(500);
        vault.emulator.set_latency(Some(Latency::new(time, time)));
        let pending = sign(&key, 64);
        until("64 requests", || vault.emulator.stats().sign == 64);
        assert_eq!(client.counters().in_flight, 64, "{persona:?}: none has ended");
        pending.into_iter().for_each(|pending| ended(pending, &key));
    }
}

#[test]
fn pending_operations_that_hang_delay_no_others() {
    // One service uses HTTP/2 with one connection for all, the other HTTP/1.1.
    for persona in [Persona::Vault, Persona::ManagedHsm] {
        let (vault, client, key) = start(persona);
        let other = client.key(key.reference()).unwrap();
        let hang = Fault::new(FaultKind::Hang).on(Operation::Sign).times(6);
        vault.emulator.fault(hang);
        let hanging = sign(&key, 6);
        until("6 requests hang", || vault.emulator.stats().faults == 6);
        for key in [&key, &other] {
            sign(key, 27).into_iter().for_each(|pending| ended(pending, key));
        }
        assert_eq!(client.counters().in_flight, 6, "{persona:?}");
        for mut pending in hanging {
            assert!(pending.wait_for(Duration::ZERO).unwrap().is_none());
        }
    }
}

#[test]
fn pending_operations_end_when_they_are_dropped() {
    let (vault, client, key) = start(Persona::Vault);
    vault.emulator.fault(Fault::new(FaultKind::Hang).on(Operation::Sign).forever());
    let pending = sign(&key, 3);
    until("3 requests hang", || vault.emulator.stats().faults == 3);
    drop(pending);
    until("none is in flight", || client.counters().in_flight == 0);
    // They do not count as deadlines that passed.
    vault.emulator.clear_faults();
    ended(key.start_sign(Es256, &[7; 32]).unwrap(), &key);
}

#[tokio::test]
async fn pending_operations_are_futures_for_any_runtime() {
    let (_vault, _client, key) =
        tokio::task::spawn_blocking(|| start(Persona::Vault)).await.unwrap();
    let signatures = futures::future::join_all(sign(&key, 8)).await;
    for signature in signatures {
        key.public_key().verify_digest(Es256, &[7; 32], &signature.unwrap()).unwrap();
    }
    let refused = key.start_sign(akv_core::SignatureAlgorithm::Es384, &[7; 32]).unwrap().await;
    assert_eq!(refused.unwrap_err().kind(), akv_core::ErrorKind::Argument);
}
