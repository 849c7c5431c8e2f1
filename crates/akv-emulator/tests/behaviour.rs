//! Latency, limits and connections, configured by library call.

mod common;

use std::time::{Duration, Instant};

use akv_emulator::{Curve, Emulator, Latency, NewKey, Persona, Throttling};
use common::{Client, refused};
use reqwest::Method;
use serde_json::{Value, json};

const API: &str = "?api-version=7.4";

fn sign() -> Value {
    json!({ "alg": "ES256", "value": "A".repeat(43) })
}

#[tokio::test]
async fn responses_have_the_configured_latency() {
    let hsm = Emulator::builder().persona(Persona::ManagedHsm).start().unwrap();
    hsm.create_key(NewKey::ec("k", Curve::P256)).unwrap();
    let client = Client::new(&hsm);
    let path = format!("/keys/k/sign{API}");
    client.post(&path, sign()).await;
    let time = async || {
        let began = Instant::now();
        assert_eq!(client.post(&path, sign()).await.status, 200);
        began.elapsed()
    };
    hsm.set_latency(Some(Latency::CROSS_REGION));
    assert!(time().await >= Duration::from_millis(90));
    hsm.set_latency(Some(Latency::HSM_IN_REGION));
    assert!(time().await >= Duration::from_millis(4));
    // Tokens and the authority are not part of the service.
    hsm.set_latency(Some(Latency::new(Duration::from_secs(600), Duration::from_secs(600))));
    let url = format!("{}/common/discovery/instance", hsm.authority());
    assert_eq!(client.http.get(url).send().await.unwrap().status(), 200);
    hsm.set_latency(None);
    assert_eq!(client.post(&path, sign()).await.status, 200);
}

#[tokio::test]
async fn a_vault_throttles_by_shares_of_its_limits() {
    let vault = Emulator::builder().start().unwrap();
    vault.create_key(NewKey::ec("soft", Curve::P256)).unwrap();
    vault.create_key(NewKey::rsa("hard", 4096).hsm(true)).unwrap();
    let client = Client::new(&vault);
    // A hundredth of 4000, and of 250.
    vault.set_throttling(Some(Throttling::service().scale(0.01)));
    for _ in 0..40 {
        assert_eq!(client.post(&format!("/keys/soft/sign{API}"), sign()).await.status, 200);
    }
    let answer = client.post(&format!("/keys/soft/sign{API}"), sign()).await;
    refused(&answer, 429, "Throttled", "");
    assert!(!answer.headers.contains_key("retry-after"));
    vault.shift_clock(10);
    for _ in 0..2 {
        assert_eq!(client.get(&format!("/keys/hard{API}")).await.status, 200);
    }
    // Four fifths are used: a third such request is refused, a smaller one is not.
    refused(&client.get(&format!("/keys/hard{API}")).await, 429, "Throttled", "");
    assert_eq!(client.post(&format!("/keys/soft/sign{API}"), sign()).await.status, 200);
    assert_eq!(vault.stats().throttled, 2);

    vault.set_throttling(Some(Throttling::service().scale(0.1).retry_after(true)));
    for (kind, limit) in [("EC-HSM", 1), ("EC", 2)] {
        vault.shift_clock(10);
        let create =
            async || client.post(&format!("/keys/new/create{API}"), json!({ "kty": kind })).await;
        for _ in 0..limit {
            assert_eq!(create().await.status, 200, "{kind}");
        }
        let answer = create().await;
        refused(&answer, 429, "Throttled", "");
        let wait: u32 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=10).contains(&wait), "{wait}");
    }
    vault.set_throttling(None);
    assert_eq!(client.get(&format!("/keys/hard{API}")).await.status, 200);
}

#[tokio::test]
async fn a_managed_hsm_does_not_throttle() {
    let hsm = Emulator::builder().persona(Persona::ManagedHsm).start().unwrap();
    hsm.create_key(NewKey::ec("k", Curve::P256)).unwrap();
    hsm.set_throttling(Some(Throttling::service().scale(0.0001)));
    let client = Client::new(&hsm);
    for _ in 0..5 {
        assert_eq!(client.post(&format!("/keys/k/sign{API}"), sign()).await.status, 200);
    }
}

#[tokio::test]
async fn connections_are_closed_and_clients_open_others() {
    for persona in [Persona::Vault, Persona::ManagedHsm] {
        let emulator = Emulator::builder().persona(persona).start().unwrap();
        let client = Client::new(&emulator);
        let path = format!("/keys{API}");
        assert_eq!(client.get(&path).await.status, 200);
        assert_eq!(client.get(&path).await.status, 200);
        assert_eq!(emulator.stats().connections, 1);
        assert_eq!(emulator.close_connections(), 1);
        // A request that crosses the notice is lost, or still served on the old connection.
        for _ in 0..1000 {
            let _ = client.request(Method::GET, &path, &Value::Null).send().await;
            if emulator.stats().connections > 1 {
                break;
            }
        }
        assert_eq!(client.get(&path).await.status, 200);
        let stats = emulator.stats();
        assert_eq!((stats.connections, stats.tls_handshakes), (2, 2), "{persona:?}");
    }
}

#[tokio::test]
async fn a_key_is_disabled_and_enabled() {
    let vault = Emulator::builder().start().unwrap();
    let host = "v.vault.azure.net";
    vault.create_key(NewKey::ec("k", Curve::P256).vault_host(host)).unwrap();
    let client = Client::named(&vault, host);
    let path = format!("/keys/k/sign{API}");
    let made = client.must(Method::GET, &format!("/keys/k{API}"), Value::Null).await;
    vault.shift_clock(5);
    vault.set_key_enabled_in(host, "K", false).unwrap();
    refused(&client.post(&path, sign()).await, 403, "Forbidden", "KeyDisabled");
    let off = client.must(Method::GET, &format!("/keys/k{API}"), Value::Null).await;
    assert!(off["attributes"]["updated"].as_i64() > made["attributes"]["updated"].as_i64());
    vault.set_key_enabled_in(host, "k", true).unwrap();
    assert_eq!(client.post(&path, sign()).await.status, 200);
    assert!(vault.set_key_enabled("k", true).is_err(), "not in the default vault");
}
