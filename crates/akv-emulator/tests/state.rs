//! The state folder.

mod common;

use std::{fs, path::Path};

use akv_emulator::{Curve, Emulator, Error, NewKey};
use common::{Client, refused};
use reqwest::Method;
use serde_json::{Value, json};

const API: &str = "?api-version=7.4";

#[tokio::test]
async fn a_state_folder_outlives_the_emulator() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Emulator::builder().state_dir(folder.path()).start().unwrap();
    let bundle_of = |emulator: &Emulator, path: String| {
        let client = Client::new(emulator);
        async move { client.get(&path).await.json()["key"].clone() }
    };
    let (ca, keys) = {
        let first = start();
        first.create_key(NewKey::rsa("rsa", 2048).hsm(true)).unwrap();
        first.create_key(NewKey::ec("ec", Curve::P521)).unwrap();
        first.create_key(NewKey::ec("gone", Curve::P256)).unwrap();
        first.rotate_key("ec").unwrap();
        let client = Client::new(&first);
        client.must(Method::DELETE, &format!("/keys/gone{API}"), Value::Null).await;
        client.must(Method::DELETE, &format!("/deletedkeys/gone{API}"), Value::Null).await;
        let rsa = bundle_of(&first, format!("/keys/rsa{API}")).await;
        let ec = bundle_of(&first, format!("/keys/ec{API}")).await;
        (first.ca_pem().to_owned(), [("rsa", rsa), ("ec", ec)])
    };
    let second = start();
    assert_eq!(second.ca_pem(), ca);
    for (name, before) in keys {
        let after = bundle_of(&second, format!("/keys/{name}{API}")).await;
        for member in ["kty", "n", "x", "key_ops"] {
            assert_eq!(before[member], after[member], "{name}.{member}");
        }
    }
    assert!(second.rotate_key("gone").is_err());
    let versions = Client::new(&second).get(&format!("/keys/ec/versions{API}")).await.json();
    assert_eq!(versions["value"].as_array().unwrap().len(), 2);
}

/// Everything that a client can see of a vault's keys.
async fn seen(client: &Client) -> Value {
    let mut all = json!({});
    for path in ["/keys", "/deletedkeys", "/keys/k/versions", "/keys/k", "/keys/k/rotationpolicy"] {
        let mut body = client.must(Method::GET, &format!("{path}{API}"), Value::Null).await;
        // Addresses differ between two runs.
        let text = body.to_string().replace(&client.base, "BASE");
        body = serde_json::from_str(&text).unwrap();
        all[path] = body;
    }
    all
}

#[tokio::test]
async fn a_restart_serves_the_same_keys_versions_policies_tags_and_deleted_keys() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Emulator::builder().state_dir(folder.path()).start().unwrap();
    let before = {
        let emulator = start();
        let client = Client::new(&emulator);
        let body = json!({ "kty": "RSA", "tags": { "a": "b" }, "attributes": { "exp": 4_000_000_000_i64 } });
        client.must(Method::POST, &format!("/keys/K/create{API}"), body).await;
        let policy = json!({
            "attributes": { "expiryTime": "P90D" },
            "lifetimeActions":
                [{ "action": { "type": "Rotate" }, "trigger": { "timeBeforeExpiry": "P30D" } }],
        });
        client.must(Method::PUT, &format!("/keys/k/rotationpolicy{API}"), policy).await;
        client.must(Method::POST, &format!("/keys/k/rotate{API}"), Value::Null).await;
        let exportable = json!({
            "kty": "EC-HSM",
            "attributes": { "exportable": true, "enabled": false },
            "release_policy": { "data": "e30" },
        });
        client.must(Method::POST, &format!("/keys/other/create{API}"), exportable).await;
        emulator.create_key(NewKey::ec("gone", Curve::P256)).unwrap();
        client.must(Method::DELETE, &format!("/keys/gone{API}"), Value::Null).await;
        seen(&client).await
    };
    assert_eq!(before["/keys/k/versions"]["value"].as_array().unwrap().len(), 2);
    assert_eq!(before["/deletedkeys"]["value"].as_array().unwrap().len(), 1);
    let emulator = start();
    let client = Client::new(&emulator);
    assert_eq!(seen(&client).await, before);
    let other = client.get(&format!("/keys/other{API}")).await.json();
    assert_eq!(
        (&other["release_policy"]["data"], &other["attributes"]["enabled"]),
        (&json!("e30"), &json!(false))
    );
    client.must(Method::POST, &format!("/deletedkeys/gone/recover{API}"), Value::Null).await;
}

/// The error of a start with this folder.
fn failure(folder: &Path) -> String {
    match Emulator::builder().state_dir(folder).start() {
        Err(error @ Error::Io(_)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_damaged_file_is_named_with_reason_and_advice() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Emulator::builder().state_dir(folder.path()).start().unwrap();
    start().create_key(NewKey::ec("web", Curve::P256)).unwrap();
    let file = folder.path().join("keys/default/web.json");
    let good = fs::read_to_string(&file).unwrap();
    let mut secret: Value = serde_json::from_str(&good).unwrap();
    secret["versions"][0]["secret"] = "AAAA".into();
    let mut none: Value = serde_json::from_str(&good).unwrap();
    none["versions"] = json!([]);
    for (contents, reason) in [
        (&good[..good.len() / 2], "EOF"),
        ("", "EOF"),
        ("{}", "missing field"),
        (&secret.to_string(), "private key of version"),
        (&none.to_string(), "no versions"),
        (&good.replace("\"web\"", "\"other\""), "of another file"),
    ] {
        fs::write(&file, contents).unwrap();
        let error = failure(folder.path());
        for part in ["web.json", "damaged", reason, "Restore the file"] {
            assert!(error.contains(part), "{part:?} is not in {error:?}");
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), contents, "it is left as it was");
    }
    // A write that a crash interrupted leaves a file of another name, and the old one.
    fs::write(&file, &good).unwrap();
    fs::write(file.with_extension("new"), "{").unwrap();
    assert!(start().rotate_key("web").is_ok());
}

#[test]
fn a_ca_without_its_key_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Emulator::builder().state_dir(folder.path()).start().unwrap();
    let ca = start().ca_pem().to_owned();
    let (pem, key) = (folder.path().join("ca.pem"), folder.path().join("ca.key"));
    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    assert!(failure(folder.path()).contains("ca.key is missing"));
    fs::write(&key, "nonsense").unwrap();
    assert!(failure(folder.path()).contains("ca.key is damaged"));
    fs::write(&key, &kept).unwrap();
    fs::write(&pem, "nonsense").unwrap();
    assert!(failure(folder.path()).contains("ca.pem is damaged"));
    fs::write(&pem, &ca).unwrap();
    assert_eq!(start().ca_pem(), ca);
}

#[tokio::test]
async fn a_key_that_cannot_be_stored_is_not_created() {
    let folder = tempfile::tempdir().unwrap();
    let emulator = Emulator::builder().state_dir(folder.path()).start().unwrap();
    let client = Client::new(&emulator);
    // A file in place of the vault's folder: nothing can be written, even by root.
    fs::write(folder.path().join("keys/default"), "").unwrap();
    let create = format!("/keys/web/create{API}");
    let answer = client.post(&create, json!({ "kty": "EC" })).await;
    refused(&answer, 500, "StateNotStored", "");
    refused(&client.get(&format!("/keys/web{API}")).await, 404, "KeyNotFound", "");
    fs::remove_file(folder.path().join("keys/default")).unwrap();
    client.must(Method::POST, &create, json!({ "kty": "EC" })).await;
}
