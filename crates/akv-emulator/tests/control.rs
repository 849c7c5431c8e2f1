//! The control interface, as used by a shell or a test in another language.

mod common;

use std::time::{Duration, Instant};

use akv_emulator::{Curve, Emulator, NewKey};
use common::{Client, refused};
use reqwest::Method;
use serde_json::{Value, json};

const API: &str = "?api-version=7.4";

/// A client with a token for the vault, and one without for the control interface.
fn start() -> (Emulator, Client, Client) {
    let emulator = Emulator::builder().control_interface(true).start().unwrap();
    let client = Client::new(&emulator);
    let control = Client { token: String::new(), ..client.clone() };
    (emulator, client, control)
}

fn sign() -> Value {
    json!({ "alg": "ES256", "value": "A".repeat(43) })
}

#[tokio::test]
async fn settings_are_shown_changed_and_refused_as_a_whole() {
    let (emulator, client, control) = start();
    emulator.create_key(NewKey::ec("k", Curve::P256)).unwrap();
    let settings = "/__emulator/settings";
    let start = control.must(Method::GET, settings, Value::Null).await;
    assert_eq!((&start["latency"], &start["tokenLifetime"]), (&Value::Null, &json!(86_400)));

    let change = json!({ "latency": "cross-region", "deletionDelay": 5, "accessModel": "roles" });
    let shown = control.must(Method::PATCH, settings, change).await;
    assert_eq!(shown["latency"], json!({ "p50": 90.0, "p99": 90.0 }));
    assert_eq!((&shown["deletionDelay"], &shown["accessModel"]), (&json!(5), &json!("roles")));
    let began = Instant::now();
    assert_eq!(client.get(&format!("/keys/k{API}")).await.status, 200);
    assert!(began.elapsed() >= Duration::from_millis(90));
    let change = json!({ "latency": { "p50": 0.5, "p99": 1 }, "deletionDelay": 0 });
    control.must(Method::PATCH, settings, change).await;

    // An invalid change has no effect at all.
    for (name, value) in [
        ("latency", json!("moon")),
        ("latency", json!({ "p50": 10, "p99": 1 })),
        ("throttling", json!({ "scale": 0 })),
        ("throttling", json!({ "size": 1 })),
        ("accessModel", json!("anarchy")),
        ("deletionDelay", json!(-1)),
        ("colour", json!("red")),
    ] {
        let change = json!({ "clockShift": 1_000_000, name: value });
        let answer = control.call(Method::PATCH, settings, change).await;
        assert_eq!(answer.status, 400, "{name}");
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.starts_with(&format!("`{name}`: ")), "{error}");
    }
    let change = json!({ "throttling": { "scale": 0.0005, "retryAfter": true } });
    let shown = control.must(Method::PATCH, settings, change).await;
    assert_eq!((&shown["clockShift"], &shown["throttling"]["scale"]), (&json!(0), &json!(0.0005)));
    let path = format!("/keys/k/sign{API}");
    assert_eq!(client.post(&path, sign()).await.status, 200);
    assert_eq!(client.post(&path, sign()).await.status, 200);
    let answer = client.post(&path, sign()).await;
    refused(&answer, 429, "Throttled", "");
    assert!(answer.headers.contains_key("retry-after"));
    control.must(Method::PATCH, settings, json!({ "throttling": false, "latency": null })).await;
    assert_eq!(client.post(&path, sign()).await.status, 200);

    // The clock and the tenant: tokens that were valid are not any more.
    control.must(Method::PATCH, settings, json!({ "clockShift": 86_400 })).await;
    let answer = client.post(&path, sign()).await;
    assert!(answer.text.contains("TokenExpired"), "{}", answer.text);
    let change = json!({ "clockShift": 0, "tenant": "11111111-2222-3333-4444-555555555555" });
    control.must(Method::PATCH, settings, change).await;
    let answer = client.post(&path, sign()).await;
    assert!(answer.text.contains("AKV10032"), "{}", answer.text);
    assert!(answer.headers["www-authenticate"].to_str().unwrap().contains("11111111-2222"));
}

#[tokio::test]
async fn keys_are_created_rotated_and_disabled() {
    let (_emulator, client, control) = start();
    let made =
        control.must(Method::POST, "/__emulator/keys", json!({ "key": "ec:web:P-384" })).await;
    let key = client.get(&format!("/keys/web{API}")).await.json();
    assert_eq!((&key["key"]["kid"], &key["key"]["crv"]), (&made["kid"], &json!("P-384")));
    let certificate = json!({ "key": "rsa-hsm:tls:2048", "subject": "CN=www.example.org" });
    control.must(Method::POST, "/__emulator/keys", certificate).await;
    let certificate = client.get(&format!("/certificates/tls{API}")).await.json();
    assert_eq!(certificate["policy"]["x509_props"]["subject"], "CN=www.example.org");
    let rotated = control.must(Method::POST, "/__emulator/keys/web/rotate", Value::Null).await;
    assert_ne!(rotated["version"], made["version"]);
    let path = format!("/keys/web/sign{API}");
    let es384 = json!({ "alg": "ES384", "value": "A".repeat(64) });
    control.must(Method::POST, "/__emulator/keys/web/disable", Value::Null).await;
    refused(&client.post(&path, es384.clone()).await, 403, "Forbidden", "KeyDisabled");
    control.must(Method::POST, "/__emulator/keys/web/enable", Value::Null).await;
    assert_eq!(client.post(&path, es384).await.status, 200);
    for (path, body, status) in [
        ("keys", json!({ "key": "dsa:web:1" }), 400),
        ("keys", json!({ "key": "rsa:web:1024" }), 400),
        ("keys", json!({ "name": "web" }), 400),
        ("keys/none/disable", Value::Null, 404),
        ("keys/none/rotate", Value::Null, 404),
        ("keys/web/paint", Value::Null, 404),
        ("nothing", Value::Null, 404),
    ] {
        let answer = control.post(&format!("/__emulator/{path}"), body).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text);
        assert!(!answer.json()["error"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_vault_of_another_host_is_named_in_the_key_or_by_the_host() {
    let (emulator, _, control) = start();
    let other = Client::named(&emulator, "other.vault.azure.net");
    let spec = json!({ "key": "ec:web:P-256@other.vault.azure.net" });
    control.must(Method::POST, "/__emulator/keys", spec).await;
    let kid = other.get(&format!("/keys/web{API}")).await.json()["key"]["kid"].clone();
    other.must(Method::POST, "/__emulator/keys/web/rotate", Value::Null).await;
    let rotated = other.get(&format!("/keys/web{API}")).await.json()["key"]["kid"].clone();
    assert_ne!(kid, rotated);
    assert_eq!(control.post("/__emulator/keys/web/rotate", Value::Null).await.status, 404);
}

#[tokio::test]
async fn tokens_are_issued_for_identities_and_revoked_one_by_one() {
    let (emulator, client, control) = start();
    emulator.create_key(NewKey::ec("k", Curve::P256)).unwrap();
    let permission = json!({ "identity": "reader", "operations": ["get"] });
    let added = control.must(Method::POST, "/__emulator/permissions", permission.clone()).await;
    assert_eq!(added, json!({ "added": 1 }));
    let listed = control.must(Method::GET, "/__emulator/permissions", Value::Null).await;
    assert_eq!(listed, json!([permission]));
    let asked = json!({ "identity": "reader" });
    let issued = control.must(Method::POST, "/__emulator/tokens", asked).await;
    let token = issued["token"].as_str().unwrap().to_owned();
    assert_eq!(issued["expiresIn"], 86_400);
    let reader = Client { token: token.clone(), ..client.clone() };
    let (get, path) = (format!("/keys/k{API}"), format!("/keys/k/sign{API}"));
    assert_eq!(reader.get(&get).await.status, 200);
    refused(&reader.post(&path, sign()).await, 403, "Forbidden", "ForbiddenByPolicy");
    assert_eq!(client.post(&path, sign()).await.status, 200);
    control.must(Method::DELETE, "/__emulator/permissions", Value::Null).await;
    assert_eq!(reader.post(&path, sign()).await.status, 200);

    let hsm = json!({ "audience": "https://managedhsm.azure.net" });
    let issued = control.must(Method::POST, "/__emulator/tokens", hsm).await;
    let mut other = Client::named(&emulator, "v.vault.azure.net");
    other.token = issued["token"].as_str().unwrap().to_owned();
    let answer = other.get(&format!("/keys{API}")).await;
    assert!(answer.text.contains("AKV10022"), "{}", answer.text);

    let one = json!({ "token": token });
    control.must(Method::POST, "/__emulator/tokens/revoke", one).await;
    assert_eq!(reader.get(&get).await.status, 401);
    assert_eq!(client.get(&get).await.status, 200);
    control.must(Method::POST, "/__emulator/tokens/revoke", Value::Null).await;
    assert_eq!(client.get(&get).await.status, 401);
    for (path, body) in [
        ("permissions", json!({ "identity": "x", "operations": ["fly"] })),
        ("permissions", json!({ "operations": ["get"] })),
        ("tokens", json!({ "colour": "red" })),
        ("tokens/revoke", json!(7)),
    ] {
        let answer = control.post(&format!("/__emulator/{path}"), body).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn faults_are_listed_with_their_remaining_count() {
    let (_emulator, client, control) = start();
    let fault = json!({ "kind": "status", "status": 503, "operation": "listKeys", "times": 3 });
    control.must(Method::POST, "/__emulator/faults", json!([fault])).await;
    assert_eq!(client.get(&format!("/keys{API}")).await.status, 503);
    let left = control.must(Method::GET, "/__emulator/faults", Value::Null).await;
    assert_eq!((&left[0]["times"], &left[0]["status"]), (&json!(2), &json!(503)));
    control.must(Method::DELETE, "/__emulator/faults", Value::Null).await;
    assert_eq!(client.get(&format!("/keys{API}")).await.status, 200);
    let closed = control.must(Method::POST, "/__emulator/connections/close", Value::Null).await;
    assert!(closed["closed"].as_u64().unwrap() >= 1);
    // The interface is off by default.
    let bare = Emulator::builder().start().unwrap();
    assert_ne!(Client::new(&bare).get("/__emulator/stats").await.status, 200);
}
