//! Every recorded request of the real service, sent to the emulator: status, error codes and
//! messages, header names and the shape of the body must be those of the recording.

mod certificates;
#[path = "../common/mod.rs"]
mod common;
mod compare;

use std::{fs, path::Path};

use akv_emulator::{Emulator, Fault, FaultKind};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use common::Client;
use compare::check;
use reqwest::Method;
use serde_json::{Map, Value, json};
use url::Url;

struct Recording {
    file: String,
    method: Method,
    url: Url,
    request: Value,
    status: u16,
    headers: Map<String, Value>,
    response: Value,
}

fn recordings(folder: &str) -> Vec<Recording> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(folder);
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Recording {
    let value: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let (request, response) = (&value["request"], &value["response"]);
    Recording {
        file: path.file_stem().unwrap().to_str().unwrap().to_owned(),
        method: request["method"].as_str().unwrap().parse().unwrap(),
        url: request["uri"].as_str().unwrap().parse().unwrap(),
        request: request["body"].clone(),
        status: u16::try_from(response["status"].as_u64().unwrap()).unwrap(),
        headers: response["headers"].as_object().unwrap().clone(),
        response: response["body"].clone(),
    }
}

/// `/keys/NAME[/VERSION][/ACTION]` of a recorded request.
struct Parts {
    name: String,
    version: bool,
    action: String,
}

impl Recording {
    fn parts(&self) -> Parts {
        let mut segments = self.url.path_segments().unwrap().skip(1);
        let name = segments.next().unwrap_or_default().to_owned();
        let mut rest: Vec<&str> = segments.filter(|segment| !segment.is_empty()).collect();
        let is_version = |text: &&str| text.len() == 32;
        let version = rest.first().is_some_and(is_version);
        if version {
            rest.remove(0);
        }
        Parts { name, version, action: rest.first().map_or(String::new(), |a| a.to_lowercase()) }
    }

    /// Makes the key that the recorded response or algorithm speaks of.
    fn key_request(&self) -> Value {
        let key = &self.response["key"];
        let mut request = match self.request["alg"].as_str() {
            Some(algorithm) => key_for(algorithm, &self.file),
            None => json!({ "kty": key["kty"].as_str().unwrap_or("EC") }),
        };
        if let Some(n) = key["n"].as_str() {
            request["key_size"] = (URL_SAFE_NO_PAD.decode(n).unwrap().len() * 8).into();
        }
        for (member, value) in [("crv", &key["crv"]), ("key_ops", &key["key_ops"])] {
            if !value.is_null() {
                request[member] = value.clone();
            }
        }
        for attribute in ["nbf", "exp", "exportable"] {
            let value = &self.response["attributes"][attribute];
            if !value.is_null() {
                request["attributes"][attribute] = value.clone();
            }
        }
        let listed = &self.response["value"][0]["tags"];
        for tags in [&self.response["tags"], listed] {
            if !tags.is_null() {
                request["tags"] = tags.clone();
            }
        }
        request
    }
}

fn key_for(algorithm: &str, file: &str) -> Value {
    let size = file.rsplit_once("-rsa").and_then(|(_, bits)| bits.parse::<u32>().ok());
    match algorithm {
        "ES256" => json!({ "kty": "EC", "crv": "P-256" }),
        "ES256K" => json!({ "kty": "EC", "crv": "P-256K" }),
        "ES384" => json!({ "kty": "EC", "crv": "P-384" }),
        "ES512" => json!({ "kty": "EC", "crv": "P-521" }),
        "HS256" => json!({ "kty": "oct", "key_size": 256, "key_ops": ["sign", "verify"] }),
        aes if aes.starts_with('A') => {
            json!({ "kty": "oct", "key_size": aes[1..4].parse::<u32>().unwrap() })
        }
        _ => json!({ "kty": "RSA", "key_size": size.unwrap_or(2048) }),
    }
}

/// Brings the vault into the state before the recorded request, and returns the request's path,
/// query and body as they must be for the emulator's keys.
async fn prepare(client: &Client, emulator: &Emulator, recording: &Recording) -> (String, Value) {
    let parts = recording.parts();
    let path = recording.url.path().to_owned();
    let query = recording.url.query().map_or_else(
        // One recorder dropped the query.
        || "?api-version=7.4".to_owned(),
        |query| format!("?{query}"),
    );
    let unchanged = (format!("{path}{query}"), recording.request.clone());
    let key = format!("/keys/{}", parts.name);
    let version = "?api-version=7.4";
    let create = format!("{key}/create{version}");
    match recording.file.as_str() {
        "409-key-deleted-but-recoverable" => {
            client.must(Method::POST, &create, json!({ "kty": "EC" })).await;
            client.must(Method::DELETE, &format!("{key}{version}"), Value::Null).await;
            return unchanged;
        }
        "403-forbidden-by-policy" => {
            emulator.fault(Fault::new(FaultKind::Forbidden));
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
    let made = client.must(Method::POST, &create, request).await;
    let made = made["key"]["kid"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    if parts.action == "rotate" || recording.file == "get-rotation-policy" {
        let policy = json!({
            "attributes": { "expiryTime": "P90D" },
            "lifetimeActions":
                [{ "action": { "type": "rotate" }, "trigger": { "timeAfterCreate": "P30D" } }],
        });
        let path = format!("{key}/rotationpolicy{version}");
        client.must(Method::PUT, &path, policy).await;
    }
    if path.starts_with("/deletedkeys") {
        client.must(Method::DELETE, &format!("{key}{version}"), Value::Null).await;
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

/// Creates two keys or versions; for a last page, walks to it.
async fn prepare_list(client: &Client, recording: &Recording, parts: &Parts) -> (String, Value) {
    let path = recording.url.path();
    for index in 0..2 {
        let name = match parts.action.as_str() {
            "versions" => parts.name.clone(),
            _ => format!("key{index}"),
        };
        let create = format!("/keys/{name}/create?api-version=7.4");
        client.must(Method::POST, &create, recording.key_request()).await;
        if path.starts_with("/deletedkeys") {
            let key = format!("/keys/{name}?api-version=7.4");
            client.must(Method::DELETE, &key, Value::Null).await;
        }
    }
    let first = format!("{path}?api-version=7.4&maxresults=1");
    if !recording.file.ends_with("last-page") {
        return (first, Value::Null);
    }
    let page = client.must(Method::GET, &first, Value::Null).await;
    (page["nextLink"].as_str().unwrap().to_owned(), Value::Null)
}

/// Replaces what only the recorded key could have made: signatures and ciphertexts.
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
    let path = format!("{key}/{forward}?api-version=7.4");
    let made = client.must(Method::POST, &path, request).await;
    for member in ["value", "iv", "tag"] {
        if !made[member].is_null() && (member == "value" || !body[member].is_null()) {
            body[member] = made[member].clone();
        }
    }
    body
}

async fn replay(folder: &str, suffix: &str) {
    let emulator = Emulator::builder().start().unwrap();
    let mut failures = Vec::new();
    let recordings = recordings(folder);
    assert!(recordings.len() > 40, "{} recordings in {folder}", recordings.len());
    for (index, recording) in recordings.iter().enumerate() {
        // A vault of its own for each.
        let mut client = Client::named(&emulator, &format!("replay{index}.{suffix}"));
        if recording.status == 401 {
            client.token.clear();
        }
        let (path, body) = prepare(&client, &emulator, recording).await;
        let answer = client.call(recording.method.clone(), &path, body).await;
        for problem in check(recording, &answer) {
            failures.push(format!("{folder}/{}: {problem}", recording.file));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn a_vault_answers_as_recorded() {
    replay("vault", "vault.azure.net").await;
}

#[tokio::test]
async fn a_managed_hsm_answers_as_recorded() {
    replay("mhsm", "managedhsm.azure.net").await;
}
