//! The state of a vault before a recorded request, and the request for the emulator's keys.

use std::time::Duration;

use akv_emulator::{Emulator, Fault, FaultKind};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    common::Client,
    recording::{Parts, Recording},
};

const API: &str = "?api-version=7.4";

/// Brings the vault into the state before the recorded request, and returns the request's path with
/// its query, and the body, adapted to the emulator's keys.
pub(crate) async fn prepare(
    client: &Client,
    emulator: &Emulator,
    recording: &Recording,
) -> (String, Value) {
    let parts = recording.parts();
    let path = recording.url.path().to_owned();
    let query = recording.url.query().map_or_else(
        // One recorder dropped the query.
        || API.to_owned(),
        |query| format!("?{query}"),
    );
    let unchanged = (format!("{path}{query}"), recording.request.clone());
    let key = format!("/keys/{}", parts.name);
    let create = format!("{key}/create{API}");
    emulator.set_deletion_delay(Duration::ZERO);
    match recording.file.as_str() {
        "409-key-deleted-but-recoverable"
        | "409-key-being-deleted"
        | "409-key-name-being-deleted" => {
            if recording.file.contains("being-deleted") {
                emulator.set_deletion_delay(Duration::from_secs(3600));
            }
            client.must(Method::POST, &create, json!({ "kty": "EC" })).await;
            client.must(Method::DELETE, &format!("{key}{API}"), Value::Null).await;
            return unchanged;
        }
        "403-forbidden-by-policy" => {
            emulator.fault(Fault::new(FaultKind::Forbidden));
            return unchanged;
        }
        "409-restore-in-progress" => {
            emulator.fault(Fault::new(FaultKind::HsmRestore));
            return unchanged;
        }
        "restore-key" | "409-restore-conflict" => return restore(client, recording).await,
        "400-release-policy-immutable" | "403-release-attestation" => {}
        file if file.starts_with('5') => {
            emulator.fault(Fault::status(recording.status));
            return unchanged;
        }
        file if file.starts_with('4') || file.starts_with("create") => return unchanged,
        file if file.starts_with("list") => return prepare_list(client, recording, &parts).await,
        "get-random-bytes" => return unchanged,
        _ => {}
    }
    let mut request = recording.key_request();
    if parts.action == "rotate" {
        request["attributes"] = json!({});
    }
    if recording.file.contains("release") {
        request["attributes"]["exportable"] = true.into();
        request["release_policy"] = json!({ "data": "e30", "immutable": true });
    }
    let made = client.must(Method::POST, &create, request).await;
    let made = made["key"]["kid"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    if parts.action == "rotate" || recording.file == "get-rotation-policy" {
        let policy = json!({
            "attributes": { "expiryTime": "P90D" },
            "lifetimeActions":
                [{ "action": { "type": "rotate" }, "trigger": { "timeAfterCreate": "P30D" } }],
        });
        client.must(Method::PUT, &format!("{key}/rotationpolicy{API}"), policy).await;
    }
    if path.starts_with("/deletedkeys") {
        client.must(Method::DELETE, &format!("{key}{API}"), Value::Null).await;
    }
    let body = crypto_body(client, &parts, recording, &key).await;
    let path = match parts.version {
        true => {
            let mut segments: Vec<&str> = path.split('/').collect();
            segments[3] = &made;
            segments.join("/")
        }
        false => path,
    };
    (format!("{path}{query}"), body)
}

/// Backs up a key; the key is kept for a conflict, otherwise deleted.
async fn restore(client: &Client, recording: &Recording) -> (String, Value) {
    // The message names the key.
    let message = recording.response["error"]["message"].as_str().unwrap_or_default();
    let kid = recording.response["key"]["kid"].as_str().unwrap_or(message);
    let name = kid.split("/keys/").nth(1).unwrap().split('/').next().unwrap();
    let key = format!("/keys/{name}");
    let create = format!("{key}/create{API}");
    client.must(Method::POST, &create, recording.key_request()).await;
    let backup = client.must(Method::POST, &format!("{key}/backup{API}"), Value::Null).await;
    if recording.file == "restore-key" {
        client.must(Method::DELETE, &format!("{key}{API}"), Value::Null).await;
        let deleted = format!("/deletedkeys/{name}{API}");
        client.must(Method::DELETE, &deleted, Value::Null).await;
    }
    (format!("/keys/restore{API}"), backup)
}

/// Creates three keys or versions, and pages to the recorded page.
async fn prepare_list(client: &Client, recording: &Recording, parts: &Parts) -> (String, Value) {
    let path = recording.url.path();
    for index in 0..3 {
        let name = match parts.action.as_str() {
            "versions" => parts.name.clone(),
            _ => format!("key{index}"),
        };
        let create = format!("/keys/{name}/create{API}");
        client.must(Method::POST, &create, recording.key_request()).await;
        if path.starts_with("/deletedkeys") {
            let key = format!("/keys/{name}{API}");
            client.must(Method::DELETE, &key, Value::Null).await;
        }
    }
    let mut page = format!("{path}{API}&maxresults=1");
    let before = match recording.file.rsplit('-').next().unwrap() {
        "page1" => 0,
        "page2" => 1,
        _ => 2,
    };
    for _ in 0..before {
        let answer = client.must(Method::GET, &page, Value::Null).await;
        page = answer["nextLink"].as_str().unwrap().to_owned();
    }
    (page, Value::Null)
}

/// Replaces values that only the recorded key can produce: signatures and ciphertexts.
async fn crypto_body(client: &Client, parts: &Parts, recording: &Recording, key: &str) -> Value {
    let mut body = recording.request.clone();
    let forward = match parts.action.as_str() {
        "verify" => "sign",
        "decrypt" => "encrypt",
        "unwrapkey" => "wrapkey",
        _ => return body,
    };
    let mut request = body.clone();
    request["value"] = match forward {
        "sign" => body["digest"].clone(),
        _ => recording.response["value"].clone(),
    };
    let path = format!("{key}/{forward}{API}");
    let made = client.must(Method::POST, &path, request).await;
    for member in ["value", "iv", "tag"] {
        if !made[member].is_null() && (member == "value" || !body[member].is_null()) {
            body[member] = made[member].clone();
        }
    }
    body
}
