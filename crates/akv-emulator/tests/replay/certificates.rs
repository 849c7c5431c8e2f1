//! Recorded requests for certificates.

use akv_emulator::Emulator;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    common::Client,
    compare::check,
    recording::{Recording, recordings},
};

const API: &str = "?api-version=7.4";

/// Brings the vault into the state before the recorded request.
async fn prepare(client: &Client, recording: &Recording) {
    let policy = |kind: &str| {
        json!({ "policy": {
            "key_props": { "kty": kind },
            "x509_props": { "subject": "CN=DefaultPolicy" },
            "issuer": { "name": "Self" },
        } })
    };
    let parts = recording.parts();
    let mut names = vec![parts.name];
    match recording.file.as_str() {
        "404-certificate-not-found" | "create-certificate-202" => return,
        "list-certificates" => names = vec!["first".into(), "second".into()],
        _ => {}
    }
    for name in names {
        let mut request = policy("RSA");
        if recording.file == "get-certificate-policy" {
            request["policy"]["x509_props"]["sans"] = json!({ "dns_names": ["localhost"] });
            request["policy"]["issuer"]["cert_transparency"] = false.into();
        }
        request["tags"] = match recording.file.as_str() {
            "list-certificates" => json!({ "1374356525": "yes" }),
            _ => Value::Null,
        };
        client.must(Method::POST, &format!("/certificates/{name}/create{API}"), request).await;
    }
}

#[tokio::test]
async fn certificates_are_answered_as_recorded() {
    let emulator = Emulator::builder().start().unwrap();
    let mut failures = Vec::new();
    let recordings = recordings("vault-certificates");
    assert_eq!(recordings.len(), 7);
    for (index, recording) in recordings.iter().enumerate() {
        let client = Client::named(&emulator, &format!("certificates{index}.vault.azure.net"));
        prepare(&client, recording).await;
        let path = format!(
            "{}?{}",
            recording.url.path(),
            recording.url.query().unwrap_or("api-version=7.4")
        );
        let answer = client.call(recording.method.clone(), &path, recording.request.clone()).await;
        for problem in check(recording, &answer) {
            failures.push(format!("{}: {problem}", recording.file));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A policy that one recording requests and another one returns for the same certificate.
#[tokio::test]
async fn policies_are_returned_as_requested() {
    let emulator = Emulator::builder().start().unwrap();
    let client = Client::named(&emulator, "policies.vault.azure.net");
    let recordings = recordings("vault-certificates");
    let named = |name: &str| recordings.iter().find(|one| one.file == name).unwrap();
    let create = format!("/certificates/web/create{API}");
    client.must(Method::POST, &create, named("create-certificate-202").request.clone()).await;
    let told = client.get(&format!("/certificates/web/policy{API}")).await.json();
    let recorded = &named("get-certificate-policy").response;
    for member in ["key_props", "secret_props", "x509_props", "lifetime_actions", "issuer"] {
        assert_eq!(told[member], recorded[member], "{member}");
    }
}
