//! The examples of the service's REST reference.

use std::collections::BTreeSet;

use akv_emulator::Emulator;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    common::Client,
    recording::{files, key_for},
};

/// Members that the examples lack, since they are older than the service.
const NEWER: [&str; 2] = ["exportable", "recoverableDays"];

fn members(value: &Value) -> BTreeSet<&str> {
    let object = value.as_object().unwrap();
    object.keys().map(String::as_str).filter(|name| !NEWER.contains(name)).collect()
}

/// The bytes of a text in the standard alphabet of base64, or in that for URLs.
fn bytes(text: &str) -> Vec<u8> {
    let standard = || STANDARD_NO_PAD.decode(text);
    URL_SAFE_NO_PAD.decode(text).or_else(|_| standard()).unwrap()
}

/// Prepares the key, and returns the request: method, path, body.
async fn request(client: &Client, example: &Value) -> (Method, String, Value) {
    let parameters = &example["parameters"];
    let name = parameters["key-name"].as_str().unwrap_or("listed");
    let mut body = parameters["parameters"].clone();
    let algorithm = body["alg"].as_str().unwrap_or("RSA-OAEP");
    let mut key = key_for(algorithm, "");
    key["tags"] = example["response"]["tags"].clone();
    let create = format!("/keys/{name}/create?api-version=2026-04-01");
    let operation = example["operationId"].as_str().unwrap();
    let mut version = String::new();
    if !["CreateKey", "GetRandomBytes"].contains(&operation) {
        for _ in 0..2 {
            let made = client.must(Method::POST, &create, key.clone()).await;
            let kid = made["key"]["kid"].as_str().unwrap();
            version = kid.rsplit('/').next().unwrap().to_owned();
        }
    }
    if operation == "GetKeys" {
        let other = "/keys/other/create?api-version=2026-04-01";
        client.must(Method::POST, other, key).await;
    }
    // Values that only the example's key can produce are created again.
    let forward = match operation {
        "decrypt" => Some(("encrypt", example["response"]["value"].clone())),
        "unwrapKey" => Some(("wrapKey", example["response"]["value"].clone())),
        // The example has the two swapped.
        "verify" => {
            (body["digest"], body["value"]) = (body["value"].clone(), body["digest"].clone());
            Some(("sign", body["digest"].clone()))
        }
        _ => None,
    };
    if let Some((forward, value)) = forward {
        let path = format!("/keys/{name}/{forward}?api-version=2026-04-01");
        let asked = json!({ "alg": body["alg"], "value": value });
        body["value"] = client.must(Method::POST, &path, asked).await["value"].clone();
    }
    let (method, path) = match operation {
        "CreateKey" => (Method::POST, format!("/keys/{name}/create")),
        "GetKey" => (Method::GET, format!("/keys/{name}/{version}")),
        "GetKeys" => (Method::GET, "/keys".to_owned()),
        "GetKeyVersions" => (Method::GET, format!("/keys/{name}/versions")),
        "RotateKey" => (Method::POST, format!("/keys/{name}/rotate")),
        "GetRandomBytes" => (Method::POST, "/rng".to_owned()),
        crypto => (Method::POST, format!("/keys/{name}/{version}/{crypto}")),
    };
    let api = parameters["api-version"].as_str().unwrap();
    let size = match parameters["maxresults"].as_u64() {
        Some(size) => format!("&maxresults={size}"),
        None => String::new(),
    };
    (method, format!("{path}?api-version={api}{size}"), body)
}

#[tokio::test]
async fn the_references_examples_are_answered_with_their_members() {
    let emulator = Emulator::builder().start().unwrap();
    let examples = files("documented");
    assert_eq!(examples.len(), 12);
    for (index, (file, example)) in examples.iter().enumerate() {
        let service = match file.as_str() {
            "GetRandomBytes" => "managedhsm.azure.net",
            _ => "vault.azure.net",
        };
        let client = Client::named(&emulator, &format!("documented{index}.{service}"));
        let (method, path, body) = request(&client, example).await;
        let ours = client.must(method, &path, body).await;
        let theirs = &example["response"];
        assert_eq!(members(&ours), members(theirs), "{file}");
        for member in ["key", "attributes"] {
            if theirs[member].is_object() {
                assert_eq!(members(&ours[member]), members(&theirs[member]), "{file}.{member}");
            }
        }
        match &theirs["value"] {
            Value::Array(listed) => assert_eq!(
                (members(&ours["value"][0]), members(&ours["value"][0]["attributes"])),
                (members(&listed[0]), members(&listed[0]["attributes"])),
                "{file}"
            ),
            // Computes what can be computed; for the rest only the length is known.
            Value::String(text) if ["decrypt", "unwrapKey"].contains(&file.as_str()) => {
                assert_eq!(bytes(ours["value"].as_str().unwrap()), bytes(text), "{file}");
            }
            Value::String(text) => {
                let ours = bytes(ours["value"].as_str().unwrap());
                assert_eq!(ours.len(), bytes(text).len(), "{file}");
            }
            other => assert_eq!(&ours["value"], other, "{file}"),
        }
    }
}
