//! A key's life: attributes, versions, rotation, deletion, backup, release.

mod common;

use std::time::{Duration, SystemTime};

use akv_emulator::{Curve, Emulator, NewKey, Persona};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use common::{Client, refused};
use reqwest::Method;
use serde_json::{Value, json};

const API: &str = "?api-version=7.4";
const DAY: i64 = 86_400;

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn start(persona: Persona) -> Emulator {
    Emulator::builder().persona(persona).start().unwrap()
}

#[tokio::test]
async fn attributes_and_operations_are_enforced() {
    let vault = start(Persona::Vault);
    let client = Client::new(&vault);
    let sign = json!({ "alg": "ES256", "value": encode([1; 32]) });
    let (now, hour) = (SystemTime::now(), Duration::from_secs(3600));
    let key = |name: &str| NewKey::ec(name, Curve::P256);
    vault.create_key(key("disabled").enabled(false)).unwrap();
    vault.create_key(key("early").not_before(now + hour)).unwrap();
    vault.create_key(key("late").expires(now + hour)).unwrap();
    vault.create_key(key("checks").key_ops(["verify"])).unwrap();
    let post = |name: &str| {
        let path = format!("/keys/{name}/sign{API}");
        let (client, body) = (client.clone(), sign.clone());
        async move { client.post(&path, body).await }
    };
    refused(&post("disabled").await, 403, "Forbidden", "KeyDisabled");
    let disabled = client.get(&format!("/keys/disabled{API}")).await.json();
    assert_eq!(disabled["attributes"]["enabled"], false, "it can be read");
    refused(&post("early").await, 403, "Forbidden", "KeyNotYetValid");
    refused(&post("checks").await, 403, "Forbidden", "KeyOperationForbidden");
    let signature = post("late").await.json()["value"].clone();
    vault.shift_clock(3601);
    // The token is valid for a day: it is the key that has expired.
    refused(&post("late").await, 403, "Forbidden", "KeyExpired");
    let verify = json!({ "alg": "ES256", "digest": encode([1; 32]), "value": signature });
    let answer = client.post(&format!("/keys/late/verify{API}"), verify).await;
    assert_eq!(answer.json(), json!({ "value": true }));
    assert_eq!(post("early").await.status, 200);

    let enable = json!({ "attributes": { "enabled": true } });
    client.must(Method::PATCH, &format!("/keys/disabled{API}"), enable).await;
    assert_eq!(post("disabled").await.status, 200);
}

#[tokio::test]
async fn disabled_and_expired_keys_are_refused_for_every_operation() {
    for (persona, suffix) in
        [(Persona::Vault, "vault.azure.net"), (Persona::ManagedHsm, "managedhsm.azure.net")]
    {
        let emulator = start(persona);
        let client = Client::named(&emulator, &format!("v.{suffix}"));
        let past = SystemTime::now() - Duration::from_secs(3600);
        let future = SystemTime::now() + Duration::from_secs(3600);
        let host = format!("v.{suffix}");
        let key = |name: &str| NewKey::rsa(name, 2048).vault_host(&host);
        emulator.create_key(key("good")).unwrap();
        emulator.create_key(key("off").enabled(false)).unwrap();
        emulator.create_key(key("old").expires(past)).unwrap();
        emulator.create_key(key("young").not_before(future)).unwrap();
        let value = encode([7; 32]);
        for (operation, undoes) in [
            ("sign", false),
            ("encrypt", false),
            ("wrapKey", false),
            ("verify", true),
            ("decrypt", true),
            ("unwrapKey", true),
        ] {
            let body = match operation {
                "sign" => json!({ "alg": "RS256", "value": value }),
                "verify" => json!({ "alg": "RS256", "digest": value, "value": encode([1; 256]) }),
                _ => json!({ "alg": "RSA-OAEP", "value": value }),
            };
            let answer = async |name: &str| {
                client.post(&format!("/keys/{name}/{operation}{API}"), body.clone()).await
            };
            let code = async |name: &str| answer(name).await.inner_code();
            assert_eq!(code("off").await, "KeyDisabled", "{operation}");
            assert_eq!(code("old").await, if undoes { "" } else { "KeyExpired" }, "{operation}");
            let early = if undoes { "" } else { "KeyNotYetValid" };
            assert_eq!(code("young").await, early, "{operation}");
            assert_ne!(answer("good").await.status, 403, "{operation}");
        }
        for name in ["off", "old", "young"] {
            assert_eq!(client.get(&format!("/keys/{name}{API}")).await.status, 200);
            client.must(Method::POST, &format!("/keys/{name}/backup{API}"), Value::Null).await;
        }
    }
}

#[tokio::test]
async fn a_rotated_key_keeps_its_versions() {
    let vault = start(Persona::Vault);
    let client = Client::new(&vault);
    let first = vault.create_key(NewKey::ec("ec", Curve::P384).hsm(true).tag("a", "b")).unwrap();
    let second = vault.rotate_key("ec").unwrap();
    assert_ne!(first.version, second.version);
    let current = client.get(&format!("/keys/ec{API}")).await.json();
    assert_eq!(current["key"]["kid"], second.url);
    assert_eq!((&current["key"]["kty"], &current["tags"]["a"]), (&json!("EC-HSM"), &json!("b")));
    let old = client.get(&format!("{}{API}", first.url)).await.json();
    assert_eq!((&old["key"]["kid"], &old["key"]["crv"]), (&json!(first.url), &json!("P-384")));
    assert_ne!(old["key"]["x"], current["key"]["x"]);
    let body = json!({ "alg": "ES384", "value": encode([1; 48]) });
    let answer = client.post(&format!("{}/sign{API}", first.url), body).await;
    assert_eq!(answer.json()["kid"], first.url);
    assert!(vault.rotate_key("none").is_err());
    let missing = client.get(&format!("/keys/ec/{:032}{API}", 0)).await;
    refused(&missing, 404, "KeyNotFound", "");
    assert!(missing.text.contains(&format!("(name/id) ec/{:032} was", 0)));
}

#[tokio::test]
async fn a_policy_rotates_a_key_when_it_is_due() {
    for persona in [Persona::Vault, Persona::ManagedHsm] {
        let emulator = start(persona);
        let mut client = Client::new(&emulator);
        emulator.create_key(NewKey::ec("k", Curve::P256)).unwrap();
        let policy = json!({
            "attributes": { "expiryTime": "P90D" },
            "lifetimeActions":
                [{ "action": { "type": "Rotate" }, "trigger": { "timeAfterCreate": "P30D" } }],
        });
        client.must(Method::PUT, &format!("/keys/k/rotationpolicy{API}"), policy).await;
        let path = format!("/keys/k{API}");
        let first = client.get(&path).await.json();
        emulator.shift_clock(30 * DAY - 10);
        client.token = emulator.token();
        assert_eq!(client.get(&path).await.json()["key"]["kid"], first["key"]["kid"]);
        emulator.shift_clock(10);
        let second = client.get(&path).await.json();
        assert_ne!(second["key"]["kid"], first["key"]["kid"]);
        let attributes = &second["attributes"];
        let lives = attributes["exp"].as_i64().unwrap() - attributes["created"].as_i64().unwrap();
        assert_eq!(lives, 90 * DAY);
        assert_eq!(client.get(&path).await.json()["key"]["kid"], second["key"]["kid"]);
        // Signing without a version also uses the new one when rotation is due.
        emulator.shift_clock(31 * DAY);
        client.token = emulator.token();
        let sign = json!({ "alg": "ES256", "value": encode([1; 32]) });
        let signed = client.post(&format!("/keys/k/sign{API}"), sign).await.json();
        assert_ne!(signed["kid"], second["key"]["kid"]);
        let versions = client.get(&format!("/keys/k/versions{API}")).await.json();
        assert_eq!(versions["value"].as_array().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn policies_outside_the_services_limits_are_refused() {
    let vault = start(Persona::Vault);
    let client = Client::new(&vault);
    vault.create_key(NewKey::ec("k", Curve::P256)).unwrap();
    let path = format!("/keys/k/rotationpolicy{API}");
    for (expiry, trigger) in [("P27D", "P7D"), ("P90D", "P6D"), ("P90D", "P85D"), ("P90D", "PT1H")]
    {
        let policy = json!({
            "attributes": { "expiryTime": expiry },
            "lifetimeActions":
                [{ "action": { "type": "Rotate" }, "trigger": { "timeAfterCreate": trigger } }],
        });
        let answer = client.call(Method::PUT, &path, policy).await;
        refused(&answer, 400, "BadParameter", "");
    }
    let kept = client.get(&path).await.json();
    assert_eq!(kept["lifetimeActions"].as_array().unwrap().len(), 1, "only the notice");
    assert!(kept["attributes"]["expiryTime"].is_null());
}

#[tokio::test]
async fn deleted_keys_are_recovered_backed_up_and_purged() {
    let vault = start(Persona::Vault);
    let client = Client::new(&vault);
    let key = vault.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let backup = client.must(Method::POST, &format!("/keys/ec/backup{API}"), Value::Null).await;
    let restore = format!("/keys/restore{API}");
    refused(&client.post(&restore, backup.clone()).await, 409, "Conflict", "");
    client.must(Method::DELETE, &format!("/keys/ec{API}"), Value::Null).await;
    refused(&client.get(&format!("/keys/ec{API}")).await, 404, "KeyNotFound", "");
    let deleted = format!("/deletedkeys/ec{API}");
    client.must(Method::POST, &format!("/deletedkeys/ec/recover{API}"), Value::Null).await;
    refused(&client.get(&deleted).await, 404, "KeyNotFound", "");
    client.must(Method::DELETE, &format!("/keys/ec{API}"), Value::Null).await;
    client.must(Method::DELETE, &deleted, Value::Null).await;
    let restored = client.must(Method::POST, &restore, backup).await;
    assert_eq!(restored["key"]["kid"], key.url);
}

#[tokio::test]
async fn a_deletion_takes_the_configured_time() {
    let vault = start(Persona::Vault);
    let client = Client::new(&vault);
    vault.create_key(NewKey::ec("k", Curve::P256)).unwrap();
    vault.set_deletion_delay(Duration::from_secs(30));
    client.must(Method::DELETE, &format!("/keys/k{API}"), Value::Null).await;
    let (deleted, create) = (format!("/deletedkeys/k{API}"), format!("/keys/k/create{API}"));
    let recover = format!("/deletedkeys/k/recover{API}");
    refused(&client.get(&deleted).await, 404, "KeyNotFound", "");
    let ec = json!({ "kty": "EC" });
    refused(&client.post(&create, ec.clone()).await, 409, "Conflict", "ObjectIsBeingDeleted");
    refused(&client.post(&recover, Value::Null).await, 409, "Conflict", "ObjectIsBeingDeleted");
    let purge = client.call(Method::DELETE, &deleted, Value::Null).await;
    refused(&purge, 409, "Conflict", "ObjectIsBeingDeleted");
    vault.shift_clock(30);
    assert_eq!(client.get(&deleted).await.status, 200);
    refused(&client.post(&create, ec).await, 409, "Conflict", "ObjectIsDeletedButRecoverable");
    client.must(Method::POST, &recover, Value::Null).await;
    assert_eq!(client.get(&format!("/keys/k{API}")).await.status, 200);
}

#[tokio::test]
async fn deleted_keys_are_purged_after_the_retention_period() {
    let vault = Emulator::builder()
        .retention_days(7)
        .purge_protection(true)
        .token_lifetime(Duration::from_secs(30 * 86_400))
        .start()
        .unwrap();
    let client = Client::new(&vault);
    let create = format!("/keys/k/create{API}");
    let made = client.must(Method::POST, &create, json!({ "kty": "EC" })).await;
    let attributes = &made["attributes"];
    assert_eq!(attributes["recoveryLevel"], "CustomizedRecoverable");
    assert_eq!(attributes["recoverableDays"], 7);
    let gone = client.must(Method::DELETE, &format!("/keys/k{API}"), Value::Null).await;
    let keeps =
        gone["scheduledPurgeDate"].as_i64().unwrap() - gone["deletedDate"].as_i64().unwrap();
    assert_eq!(keeps, 7 * DAY);
    let deleted = format!("/deletedkeys/k{API}");
    let purge = client.call(Method::DELETE, &deleted, Value::Null).await;
    assert_eq!(purge.status, 403);
    assert!(purge.text.contains("purge protection is enabled"), "{}", purge.text);
    vault.shift_clock(7 * DAY - 10);
    assert_eq!(client.get(&deleted).await.status, 200);
    vault.shift_clock(11);
    refused(&client.get(&deleted).await, 404, "KeyNotFound", "");
    client.must(Method::POST, &create, json!({ "kty": "EC" })).await;
    for days in [6, 91] {
        assert!(Emulator::builder().retention_days(days).start().is_err(), "{days}");
    }
}

#[tokio::test]
async fn a_backup_restores_all_versions_in_vaults_of_the_same_service() {
    let emulator = start(Persona::Vault);
    for (first, second, other) in [
        ("a.vault.azure.net", "b.vault.azure.net", "c.managedhsm.azure.net"),
        ("a.managedhsm.azure.net", "b.managedhsm.azure.net", "c.vault.azure.net"),
    ] {
        let [first, second, other] =
            [first, second, other].map(|host| Client::named(&emulator, host));
        let host = first.base.strip_prefix("https://").unwrap().split(':').next().unwrap();
        let key = NewKey::ec("k", Curve::P384).vault_host(host).tag("a", "b");
        let old = emulator.create_key(key).unwrap();
        let new = emulator.rotate_key_in(host, "k").unwrap();
        let backup = first.must(Method::POST, &format!("/keys/k/backup{API}"), Value::Null).await;
        let restore = format!("/keys/restore{API}");
        let restored = second.must(Method::POST, &restore, backup.clone()).await;
        assert_eq!(restored["key"]["kid"], format!("{}/keys/k/{}", second.base, new.version));
        assert_eq!(restored["tags"]["a"], "b");
        for version in [&old.version, &new.version] {
            let path = format!("/keys/k/{version}{API}");
            let here = second.must(Method::GET, &path, Value::Null).await;
            let there = first.must(Method::GET, &path, Value::Null).await;
            assert_eq!(
                (&here["key"]["x"], &here["key"]["y"]),
                (&there["key"]["x"], &there["key"]["y"])
            );
        }
        // The original key verifies signatures of the restored one.
        let digest = encode([9; 48]);
        let sign = json!({ "alg": "ES384", "value": digest });
        let path = format!("/keys/k/{}", old.version);
        let signed = second.must(Method::POST, &format!("{path}/sign{API}"), sign).await;
        let verify = json!({ "alg": "ES384", "digest": digest, "value": signed["value"] });
        let verified = first.must(Method::POST, &format!("{path}/verify{API}"), verify).await;
        assert_eq!(verified["value"], true);

        refused(&second.post(&restore, backup.clone()).await, 409, "Conflict", "");
        assert_eq!(other.post(&restore, backup.clone()).await.status, 400);
        second.must(Method::DELETE, &format!("/keys/k{API}"), Value::Null).await;
        let answer = second.post(&restore, backup.clone()).await;
        refused(&answer, 409, "Conflict", "ObjectIsDeletedButRecoverable");
        let blob = backup["value"].as_str().unwrap();
        let middle = blob.len() / 2;
        let touched = format!("{}{}", &blob[..middle], blob[middle..].replacen(['A', 'B'], "Q", 1));
        for bad in [touched.as_str(), &blob[..middle], "", "%"] {
            assert_eq!(second.post(&restore, json!({ "value": bad })).await.status, 400, "{bad}");
        }
    }
}

#[tokio::test]
async fn the_key_of_a_certificate_changes_only_with_it() {
    let vault = start(Persona::Vault);
    let client = Client::new(&vault);
    vault.create_certificate(NewKey::ec("web", Curve::P256), "CN=web").unwrap();
    let before = client.get(&format!("/keys/web{API}")).await.json();
    assert_eq!(before["managed"], true);
    for (method, path, body) in [
        (Method::POST, "/create", json!({ "kty": "EC" })),
        (Method::POST, "/rotate", Value::Null),
        (Method::PATCH, "", json!({ "attributes": { "enabled": false } })),
        (Method::DELETE, "", Value::Null),
    ] {
        let answer = client.call(method, &format!("/keys/web{path}{API}"), body).await;
        refused(&answer, 403, "Forbidden", "KeyManagedByKeyVault");
    }
    assert_eq!(client.get(&format!("/keys/web{API}")).await.json(), before);
}

#[tokio::test]
async fn a_certificate_is_deleted_with_its_key_and_recovered() {
    let vault = start(Persona::Vault);
    let client = Client::new(&vault);
    let subject = "CN=web";
    let made = vault.create_certificate(NewKey::ec("web", Curve::P256), subject).unwrap();
    let (path, deleted) =
        (format!("/certificates/web{API}"), format!("/deletedcertificates/web{API}"));
    let none = client.call(Method::DELETE, &format!("/certificates/none{API}"), Value::Null).await;
    refused(&none, 404, "CertificateNotFound", "");
    vault.set_deletion_delay(Duration::from_secs(5));
    let gone = client.must(Method::DELETE, &path, Value::Null).await;
    assert_eq!(gone["recoveryId"], format!("{}/deletedcertificates/web", client.base));
    refused(&client.get(&path).await, 404, "CertificateNotFound", "");
    refused(&client.get(&format!("/keys/web{API}")).await, 404, "KeyNotFound", "");
    refused(&client.get(&deleted).await, 404, "CertificateNotFound", "");
    let recover = format!("/deletedcertificates/web/recover{API}");
    let early = client.post(&recover, Value::Null).await;
    refused(&early, 409, "Conflict", "ObjectIsBeingDeleted");
    vault.shift_clock(5);
    assert_eq!(client.get(&deleted).await.json()["recoveryId"], gone["recoveryId"]);
    let listed = client.get(&format!("/deletedcertificates{API}")).await.json();
    assert_eq!(listed["value"][0]["recoveryId"], gone["recoveryId"]);
    // The key also exists, and belongs to the certificate.
    let key = client.get(&format!("/deletedkeys/web{API}")).await.json();
    assert_eq!((&key["managed"], &key["key"]["kid"]), (&json!(true), &json!(made.url)));
    for (method, path) in [(Method::POST, "/recover"), (Method::DELETE, "")] {
        let answer =
            client.call(method, &format!("/deletedkeys/web{path}{API}"), Value::Null).await;
        refused(&answer, 403, "Forbidden", "KeyManagedByKeyVault");
    }
    let policy = json!({ "x509_props": { "subject": subject }, "issuer": { "name": "Self" } });
    let asked = json!({ "policy": policy });
    let again = client.post(&format!("/certificates/web/create{API}"), asked).await;
    refused(&again, 409, "Conflict", "ObjectIsDeletedButRecoverable");
    assert!(again.text.contains("the certificate can only be recovered"), "{}", again.text);
    client.must(Method::POST, &recover, Value::Null).await;
    assert_eq!(client.get(&path).await.json()["kid"], made.url);
    client.must(Method::DELETE, &path, Value::Null).await;
    vault.shift_clock(5);
    client.must(Method::DELETE, &deleted, Value::Null).await;
    refused(&client.get(&deleted).await, 404, "CertificateNotFound", "");
    vault.create_key(NewKey::ec("web", Curve::P256)).unwrap();
}

#[tokio::test]
async fn a_release_policy_is_kept_and_nothing_is_released() {
    let vault = start(Persona::Vault);
    let client = Client::new(&vault);
    let policy = json!({ "data": encode("{}") });
    let create = format!("/keys/k/create{API}");
    let asked = json!({ "kty": "EC-HSM", "release_policy": policy });
    refused(&client.post(&create, asked.clone()).await, 400, "BadParameter", "");
    let mut exportable = asked;
    exportable["attributes"] = json!({ "exportable": true });
    client.must(Method::POST, &create, exportable).await;
    let path = format!("/keys/k{API}");
    let immutable = json!({ "release_policy": { "data": encode("{ }"), "immutable": true } });
    client.must(Method::PATCH, &path, immutable.clone()).await;
    let answer = client.call(Method::PATCH, &path, immutable).await;
    assert!(answer.text.contains("AKV.SKR.1020"), "{}", answer.text);
    let kept = client.get(&path).await.json()["release_policy"].clone();
    assert_eq!((&kept["data"], &kept["immutable"]), (&json!(encode("{ }")), &json!(true)));
    let answer = client.post(&format!("/keys/k/release{API}"), json!({ "target": "me" })).await;
    refused(&answer, 403, "Forbidden", "AccessDenied");
    let none = client.post(&format!("/keys/none/release{API}"), json!({ "target": "me" })).await;
    refused(&none, 404, "KeyNotFound", "");
}
