//! Operations that are started and left: many in flight on one thread, cancelled, awaited.

use std::time::{Duration, Instant};

use akv_core::{
    KeyFile,
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
fn pending_loads_of_every_kind_are_in_flight_together() {
    let (vault, client, key) = start(Persona::Vault);
    vault.emulator.create_certificate(NewKey::rsa("web", 2048), "CN=web").unwrap();
    let web = client.reference("vault:myVault:web").unwrap();
    let complete = key.key_file();
    let incomplete = KeyFile::new(key.reference(), None);
    let list = client.vault(&client.reference("vault:myVault:").unwrap()).unwrap().list();
    let time = Duration::from_millis(500);
    vault.emulator.set_latency(Some(Latency::new(time, time)));
    let keys = [
        client.start_key(key.reference()).unwrap(),
        client.start_key_from_file(&incomplete).unwrap(),
    ];
    let any =
        [client.start_any_key(&web).unwrap(), client.start_any_key_from_file(&incomplete).unwrap()];
    let certificate = client.start_certificate(&web).unwrap();
    let page = Box::new(list).start_page().unwrap();
    let rotation = client
        .start(|client| async move {
            client.vault(&client.reference("vault:myVault:")?)?.rotate("ec").await
        })
        .unwrap();
    until("7 requests", || client.counters().in_flight == 7);
    // A complete file needs no request.
    let mut known = client.start_any_key_from_file(&complete).unwrap();
    assert_eq!(known.wait_for(Duration::ZERO).unwrap().unwrap().version(), key.version());
    assert!(known.wait_for(Duration::ZERO).is_err(), "it is taken only once");
    assert_eq!(client.counters().in_flight, 7, "none has ended");
    let rotated = rotation.wait().unwrap();
    for loaded in keys.map(|pending| pending.wait().unwrap()) {
        assert_eq!(loaded.pinned_reference().key_name(), Some("ec"));
    }
    let names =
        any.map(|pending| pending.wait().unwrap().reference().key_name().map(str::to_owned));
    assert_eq!(names, ["web", "ec"].map(|name| Some(name.to_owned())));
    assert!(!certificate.wait().unwrap().der().is_empty());
    assert_ne!(rotated.version(), key.version());
    vault.emulator.reset_stats();
    let mut page = page.wait().unwrap();
    let (first, second) = (page.next().unwrap().unwrap(), page.next().unwrap().unwrap());
    assert_eq!([first.name(), second.name()], ["ec", "web"]);
    assert_eq!(vault.emulator.stats().requests, 0, "its items are known");
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
