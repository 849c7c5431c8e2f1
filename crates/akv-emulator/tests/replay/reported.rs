//! Errors without a recording, from users' reports and documentation.

use std::time::{Duration, SystemTime};

use akv_emulator::{AccessModel, Curve, Emulator, Fault, NewKey, Operation, Permission};
use serde_json::{Value, json};

use crate::{
    common::{Answer, Client},
    recording::files,
};

const VAULT: &str = "examplevault.vault.azure.net";

/// Causes the reported error.
async fn answer(emulator: &Emulator, file: &str) -> Answer {
    let mut client = Client::named(emulator, VAULT);
    let key = NewKey::rsa("k", 2048).vault_host(VAULT);
    let hour = Duration::from_secs(3600);
    let key = match file {
        "403-key-disabled" => key.enabled(false),
        "403-key-not-yet-valid" => key.not_before(SystemTime::now() + hour),
        "403-key-operation-forbidden" => key.key_ops(["encrypt"]),
        _ => key,
    };
    emulator.create_key(key).unwrap();
    let subject = "CN=codesign";
    let certificate = NewKey::ec("codesign", Curve::P256).vault_host(VAULT);
    emulator.create_certificate(certificate, subject).unwrap();
    let digest = json!({ "alg": "RS256", "value": "A".repeat(43) });
    let sign = "/keys/k/sign?api-version=7.4";
    match file {
        "401-token-expired-or-malformed" => {
            emulator.set_token_lifetime(Duration::ZERO);
            client.token = emulator.token();
            client.post(sign, digest).await
        }
        "403-forbidden-by-rbac" => {
            emulator.set_access_model(AccessModel::Roles);
            let nobody = "00000000-0000-0000-0000-000000000000";
            client.token = emulator.token_of(nobody);
            emulator.permit(Permission::of(nobody).allow([Operation::Sign]));
            client.get("/certificates/codesign?api-version=7.4").await
        }
        "403-key-operation-forbidden" => {
            let ciphertext = json!({ "alg": "RSA-OAEP", "value": "A".repeat(342) });
            client.post("/keys/k/decrypt?api-version=7.4", ciphertext).await
        }
        "429-throttled-vault" => {
            emulator.fault(Fault::throttled());
            client.post(sign, digest).await
        }
        _ => client.post(sign, digest).await,
    }
}

/// Removes what differs between installations.
fn neutral(message: &str) -> String {
    let mut text = message.replace("example-rg", "emulator").replace("westeurope", "emulator");
    // The tenant of the emulator's tokens.
    text = text.replace("6e6d7574-6c61-746f-7220-74656e616e74", &"0".repeat(8));
    text.replace("00000000-0000-0000-0000-000000000000", &"0".repeat(8))
}

#[tokio::test]
async fn reported_errors_have_the_same_text() {
    let reports = files("reported");
    assert_eq!(reports.len(), 6);
    for (file, report) in reports {
        let emulator = Emulator::builder().start().unwrap();
        let answer = answer(&emulator, &file).await;
        let reported = &report["response"];
        assert_eq!(reported["status"], answer.status.as_u16(), "{file}: {}", answer.text);
        for name in reported["headers"].as_object().unwrap().keys() {
            // Returned only on request.
            let asked = name == "x-ms-client-request-id";
            assert!(asked || answer.headers.contains_key(name), "{file}: no header {name}");
        }
        assert!(!answer.headers.contains_key("retry-after"), "{file}");
        let mut ours = answer.json();
        let mut theirs = reported["body"].clone();
        for error in [&mut ours["error"], &mut theirs["error"]] {
            if let Some(message) = error["message"].as_str() {
                error["message"] = neutral(message).into();
            }
        }
        if theirs["error"]["message"].is_null() {
            // Only the code is known.
            ours["error"]["message"] = Value::Null;
        }
        assert_eq!(ours, theirs, "{file}");
    }
}
