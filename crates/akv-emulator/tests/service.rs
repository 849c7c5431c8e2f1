//! Rules of the service without a recording.

mod common;

use std::time::Duration;

use akv_emulator::{Curve, Emulator, NewKey, Operation, Persona};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use common::{Client, refused};
use reqwest::{Method, StatusCode, Version};
use serde_json::{Value, json};

const API: &str = "?api-version=7.4";

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn start(persona: Persona) -> Emulator {
    Emulator::builder().persona(persona).start().unwrap()
}

#[tokio::test]
async fn lists_are_paged_to_the_end() {
    for persona in [Persona::Vault, Persona::ManagedHsm] {
        let emulator = start(persona);
        let client = Client::new(&emulator);
        for index in 0..60 {
            emulator.create_key(NewKey::ec(format!("key-{index:02}"), Curve::P256)).unwrap();
        }
        for (size, expected) in [("", 25), ("&maxresults=7", 7)] {
            let mut next = json!(format!("/keys{API}{size}"));
            let mut names = Vec::new();
            while let Some(path) = next.as_str() {
                let page = client.must(Method::GET, path, Value::Null).await;
                let values = page["value"].as_array().unwrap();
                assert!(values.len() <= expected && !values.is_empty());
                names.extend(values.iter().map(|item| item["kid"].as_str().unwrap().to_owned()));
                next = page["nextLink"].clone();
            }
            let all: Vec<_> =
                (0..60).map(|i| format!("{}/keys/key-{i:02}", emulator.endpoint())).collect();
            assert_eq!(names, all);
        }
        for bad in ["0", "26", "-1", "x"] {
            let answer = client.get(&format!("/keys{API}&maxresults={bad}")).await;
            refused(&answer, 400, "BadParameter", "");
        }
        let answer = client.get(&format!("/keys{API}&$skiptoken=garbage")).await;
        refused(&answer, 400, "BadParameter", "");
    }
}

#[tokio::test]
async fn several_vaults_and_both_personas_share_a_listener() {
    let emulator = start(Persona::Vault);
    let hosts = ["one.vault.azure.net", "two.vault.azure.net", "one.managedhsm.azure.net"];
    let mut versions = Vec::new();
    for host in hosts {
        let client = Client::named(&emulator, host);
        let body = json!({ "kty": "EC" });
        let made = client.must(Method::POST, &format!("/keys/k/create{API}"), body).await;
        assert!(made["key"]["kid"].as_str().unwrap().starts_with(&client.base));
        versions.push(made["key"]["kid"].clone());
        let listed = client.must(Method::GET, &format!("/keys/k/versions{API}"), Value::Null).await;
        assert_eq!(listed["value"].as_array().unwrap().len(), 1);
    }
    let key = emulator.create_key(NewKey::ec("k", Curve::P256).vault_host(hosts[0])).unwrap();
    assert_eq!(key.url.split("/keys/").next().unwrap(), "https://one.vault.azure.net");
    // A token for vaults is not valid for a Managed HSM.
    let mut client = Client::named(&emulator, hosts[2]);
    client.token = emulator.token_for("https://vault.azure.net");
    let answer = client.get(&format!("/keys/k{API}")).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::UNAUTHORIZED, "OK"));
    let challenge = answer.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.ends_with("resource=\"https://managedhsm.azure.net\""), "{challenge}");
}

#[tokio::test]
async fn a_vault_supports_http_2_and_a_managed_hsm_does_not() {
    for (persona, version) in
        [(Persona::Vault, Version::HTTP_2), (Persona::ManagedHsm, Version::HTTP_11)]
    {
        let emulator = start(persona);
        let client = Client::new(&emulator);
        let request = client.request(Method::GET, &format!("/keys{API}"), &Value::Null);
        assert_eq!(request.send().await.unwrap().version(), version);
    }
}

/// The server's choice among what rustls offers: the post-quantum hybrid.
#[test]
fn the_key_exchange_is_post_quantum() {
    let vault = start(Persona::Vault);
    for name in ["127.0.0.1", "::1", "localhost", "some.vault.azure.net", "x.managedhsm.azure.cn"] {
        let config = std::sync::Arc::new(common::tls(&vault));
        let mut tls =
            rustls::ClientConnection::new(config, name.to_owned().try_into().unwrap()).unwrap();
        let mut tcp = std::net::TcpStream::connect(vault.address()).unwrap();
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp).unwrap();
        }
        let group = tls.negotiated_key_exchange_group().unwrap().name();
        assert_eq!(group, rustls::NamedGroup::X25519MLKEM768, "{name}");
    }
}

#[tokio::test]
async fn tokens_expire_and_are_revoked() {
    let vault = Emulator::builder()
        .token_lifetime(Duration::from_secs(60))
        .fixed_token("fixed")
        .start()
        .unwrap();
    let mut client = Client::new(&vault);
    let path = format!("/keys{API}");
    assert_eq!(client.get(&path).await.status, 200);
    vault.shift_clock(60);
    let answer = client.get(&path).await;
    refused(&answer, 401, "Unauthorized", "");
    assert!(answer.text.contains("TokenExpired"));
    client.token = vault.token();
    assert_eq!(client.get(&path).await.status, 200);
    vault.revoke_token(&client.token);
    refused(&client.get(&path).await, 401, "Unauthorized", "");
    client.token = "fixed".to_owned();
    assert_eq!(client.get(&path).await.status, 200);
    let stats = vault.stats();
    assert_eq!((stats.unauthorized, stats.tokens_issued), (2, 2));
    assert_eq!(stats.operation(Operation::ListKeys), 3);
}

#[tokio::test]
async fn statistics_count_connections_and_operations() {
    let vault = start(Persona::Vault);
    vault.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let client = Client::new(&vault);
    let body = json!({ "alg": "ES256", "value": encode([1; 32]) });
    for _ in 0..20 {
        assert_eq!(client.post(&format!("/keys/ec/sign{API}"), body.clone()).await.status, 200);
    }
    let stats = vault.stats();
    assert_eq!((stats.sign, stats.requests), (20, 20));
    assert_eq!((stats.connections, stats.tls_handshakes), (1, 1));
    vault.reset_stats();
    assert_eq!(vault.stats().sign, 0);
}

#[tokio::test]
async fn a_stopped_emulator_refuses_connections() {
    let vault = start(Persona::Vault);
    let address = vault.address();
    let client = Client::new(&vault);
    assert_eq!(client.get(&format!("/keys{API}")).await.status, 200);
    vault.stop_accepting();
    std::net::TcpStream::connect(address).unwrap_err();
    assert_eq!(client.get(&format!("/keys{API}")).await.status, 200, "open connections go on");
    vault.shutdown();
    client.request(Method::GET, &format!("/keys{API}"), &Value::Null).send().await.unwrap_err();
}

#[tokio::test]
async fn certificates_are_imported_with_their_keys() {
    let vault = start(Persona::Vault);
    let client = Client::new(&vault);
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(["www.example.org".to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "imported");
    let certificate = params.self_signed(&key).unwrap();
    let pem = format!("{}{}", key.serialize_pem(), certificate.pem());
    let import = format!("/certificates/web/import{API}");
    // As text, and as sent by Microsoft's client for Python.
    let encoded = STANDARD.encode(format!("a comment\n{pem}"));
    let encoded = client.must(Method::POST, &import, json!({ "value": encoded })).await;
    let made = client.must(Method::POST, &import, json!({ "value": pem })).await;
    assert_eq!(encoded["cer"], made["cer"]);
    assert_eq!(made["cer"], STANDARD.encode(certificate.der()));
    assert_eq!(
        (made["pending"].is_null(), &made["policy"]["issuer"]["name"]),
        (true, &json!("Unknown"))
    );
    let listed = client.get(&format!("/certificates{API}")).await.json();
    assert_eq!(listed["value"][0]["x5t"], made["x5t"]);
    let versions = client.get(&format!("/certificates/web/versions{API}")).await.json();
    let ids: Vec<_> = versions["value"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert!(ids.contains(&&made["id"]) && ids.contains(&&encoded["id"]), "{ids:?}");

    // The key exists, signs, and is managed by the vault.
    let kid = made["kid"].as_str().unwrap();
    let bundle = client.get(&format!("{kid}{API}")).await.json();
    assert_eq!(bundle["managed"], true);
    let sign = json!({ "alg": "ES256", "value": encode([1; 32]) });
    assert_eq!(client.post(&format!("{kid}/sign{API}"), sign).await.status, 200);
    let deleted = client.call(Method::DELETE, &format!("/keys/web{API}"), Value::Null).await;
    refused(&deleted, 403, "Forbidden", "KeyManagedByKeyVault");

    for value in ["", "AAAA", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----"] {
        let answer = client.post(&import, json!({ "value": value })).await;
        refused(&answer, 400, "BadParameter", "");
    }
    let hsm = start(Persona::ManagedHsm);
    let answer = Client::new(&hsm).get(&format!("/certificates/web{API}")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}
