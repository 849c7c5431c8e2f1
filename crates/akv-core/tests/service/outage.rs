//! `fail-fast`: a vault that does not respond costs only three deadlines.

use std::time::{Duration, Instant};

use akv_core::{
    ErrorKind,
    SignatureAlgorithm::Es256,
    blocking::{Client, Key},
};
use akv_emulator::{Curve, Fault, FaultKind, NewKey, Operation};

use super::{Vault, run};

const TIMEOUT: &[(&str, &str)] = &[("timeout", "1s")];

/// Far below the deadline; the documentation says 50 ms, and machines are busy.
const AT_ONCE: Duration = Duration::from_millis(500);

fn start() -> (Vault, Client, Key) {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let client = vault.client(TIMEOUT);
    let key = client.key(&client.reference("vault:myVault:ec").unwrap()).unwrap();
    key.sign(Es256, &[7; 32]).unwrap();
    (vault, client, key)
}

fn hang(vault: &Vault, operation: Operation) {
    vault.emulator.fault(Fault::new(FaultKind::Hang).on(operation).forever());
    vault.emulator.reset_stats();
}

/// How many sign requests reached the vault, including those that hang.
fn requests(vault: &Vault) -> u64 {
    vault.emulator.stats().requests
}

fn sign(key: &Key) -> Result<(), akv_core::Error> {
    key.sign(Es256, &[7; 32]).map(drop)
}

fn refused(key: &Key) -> String {
    let start = Instant::now();
    let error = sign(key).unwrap_err();
    assert!(start.elapsed() < AT_ONCE, "{:?}: {error}", start.elapsed());
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    error.to_string()
}

/// Three operations reach their deadline.
fn open(key: &Key) {
    for _ in 0..3 {
        assert_eq!(sign(key).unwrap_err().kind(), ErrorKind::Timeout);
    }
}

/// Waits until a second has passed since the last probe, and a probe gets a response.
fn until_closed(key: &Key) {
    let start = Instant::now();
    while let Err(error) = sign(key) {
        assert!(start.elapsed() < Duration::from_secs(30), "{error}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn after_three_operations_the_next_fail_at_once_until_a_response() {
    let (vault, client, key) = start();
    hang(&vault, Operation::Sign);
    open(&key);
    assert_eq!(requests(&vault), 3);
    let text = refused(&key);
    for word in ["since 20", "UTC", "fail-fast", "sign"] {
        assert!(text.contains(word), "no {word:?} in {text}");
    }
    // Only the first operation is a probe.
    for _ in 0..20 {
        refused(&key);
    }
    assert!(requests(&vault) <= 3 + 2, "at most one a second: {}", requests(&vault));
    // Another kind of operation is not affected, and its response changes nothing.
    client.key(key.reference()).unwrap();
    refused(&key);

    vault.emulator.clear_faults();
    until_closed(&key);
    for _ in 0..5 {
        sign(&key).unwrap();
    }
    let counters = client.counters();
    assert!(counters.failures >= 25 && counters.in_flight <= 2, "{counters:?}");
}

#[test]
fn any_response_between_keeps_the_circuit_closed() {
    let (vault, _, key) = start();
    for _ in 0..2 {
        vault.emulator.fault(Fault::new(FaultKind::Hang).on(Operation::Sign).times(2));
        for _ in 0..2 {
            assert_eq!(sign(&key).unwrap_err().kind(), ErrorKind::Timeout);
        }
        sign(&key).unwrap();
    }
    // A failure with a response, over the whole deadline.
    vault.emulator.fault(Fault::status(503).on(Operation::Sign).forever());
    for _ in 0..4 {
        let error = sign(&key).unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Timeout, Some(503)));
    }
}

/// One answer in ten may hang: the others must not fail.
#[test]
fn operations_that_hang_while_later_ones_are_answered_are_no_outage() {
    let (vault, _, _) = start();
    let key = vault.key(&[("timeout", "3s")], "vault:myVault:ec").unwrap();
    sign(&key).unwrap();
    vault.emulator.fault(Fault::new(FaultKind::Hang).on(Operation::Sign).times(6));
    vault.emulator.reset_stats();
    let hanging: Vec<_> = (0..6).map(|_| key.start_sign(Es256, &[7; 32]).unwrap()).collect();
    let start = Instant::now();
    while vault.emulator.stats().faults < 6 {
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", vault.emulator.stats());
        std::thread::yield_now();
    }
    sign(&key).unwrap();
    for pending in hanging {
        assert_eq!(pending.wait().unwrap_err().kind(), ErrorKind::Timeout);
    }
    for _ in 0..5 {
        sign(&key).unwrap();
    }
}

#[test]
fn an_outage_affects_only_its_vault() {
    let (vault, _, _) = start();
    let client = vault.client(TIMEOUT);
    let (one, other) = ("vault:myVault:ec", "vault:another:ec");
    let [one, other] =
        [one, other].map(|name| client.key(&client.reference(name).unwrap()).unwrap());
    vault.emulator.fault(Fault::new(FaultKind::Hang).on(Operation::Sign).times(3));
    open(&one);
    refused(&one);
    sign(&other).unwrap();
}

#[test]
fn fail_fast_no_gives_every_operation_its_deadline() {
    let (vault, _, _) = start();
    let key = vault.key(&[("timeout", "300ms"), ("fail-fast", "no")], "vault:myVault:ec").unwrap();
    hang(&vault, Operation::Sign);
    for number in 1..=6 {
        assert_eq!(sign(&key).unwrap_err().kind(), ErrorKind::Timeout);
        assert_eq!(requests(&vault), number);
    }
}

#[test]
fn loading_and_listing_fail_at_once_also_without_a_server() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = format!("https://{nowhere}");
    let client = vault.client(&[("timeout", "300ms"), ("endpoint", &endpoint)]);
    let reference = client.reference("vault:myVault:ec").unwrap();
    for _ in 0..3 {
        assert_eq!(client.key(&reference).unwrap_err().kind(), ErrorKind::Timeout);
    }
    let error = client.key(&reference).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    let list = || client.vault(&reference.vault()).unwrap().list().next().unwrap().unwrap_err();
    for _ in 0..3 {
        assert_eq!(list().kind(), ErrorKind::Timeout);
    }
    assert!(list().to_string().contains("list keys"), "{}", list());
    // Operations that change a vault always run.
    let rotate = || client.vault(&reference.vault()).unwrap().rotate("ec").unwrap_err();
    for _ in 0..5 {
        assert!(!rotate().to_string().contains("fail-fast"));
    }
}

#[test]
fn the_async_interface_fails_at_once_too() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    run(async {
        let client = akv_core::Client::new(vault.settings(&[("timeout", "400ms")]));
        let key = client.key(&client.reference("vault:myVault:ec").unwrap()).await.unwrap();
        hang(&vault, Operation::Sign);
        for _ in 0..3 {
            let error = key.sign(Es256, &[7; 32]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout);
        }
        let error = key.sign(Es256, &[7; 32]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    });
}
