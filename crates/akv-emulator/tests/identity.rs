//! Managed identity: the metadata service of a virtual machine, App Service's endpoint and the
//! agent of an Azure Arc server.

mod common;

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use akv_emulator::{AssignedIdentity, Emulator, Fault, Operation};
use common::Client;
use serde_json::{Value, json};

const IMDS: &str = "/metadata/identity/oauth2/token?api-version=2018-02-01";

async fn get(url: &str, header: Option<(&str, &str)>) -> (u16, Value) {
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(common::tls(&Emulator::builder().start().unwrap()))
        .no_proxy()
        .build()
        .unwrap();
    let mut request = client.get(url);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default())
}

/// The members of a token for a virtual machine or an Azure Arc server.
const OF_A_MACHINE: [&str; 8] = [
    "access_token",
    "client_id",
    "expires_in",
    "expires_on",
    "ext_expires_in",
    "not_before",
    "resource",
    "token_type",
];

/// Recorded requests to the metadata service of real virtual machines.
#[tokio::test]
async fn the_metadata_service_answers_as_recorded() {
    let vault = Emulator::builder().start().unwrap();
    let client = Client::new(&vault);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/identity");
    for file in [
        "imds-400-no-metadata-header",
        "imds-token-system-assigned",
        "imds-token-client-id",
        "imds-token-mi-res-id",
    ] {
        let recorded = fs::read(folder.join(format!("{file}.json"))).unwrap();
        let recorded: Value = serde_json::from_slice(&recorded).unwrap();
        let uri = recorded["request"]["uri"].as_str().unwrap();
        let url = uri.replace("http://169.254.169.254", vault.imds_endpoint());
        let mut request = client.http.get(url);
        if recorded["response"]["status"] == 200 {
            request = request.header("metadata", "true");
        }
        let response = request.send().await.unwrap();
        let (theirs, headers) = (&recorded["response"], response.headers().clone());
        assert_eq!(theirs["status"], response.status().as_u16(), "{file}");
        for name in theirs["headers"].as_object().unwrap().keys() {
            assert!(headers.contains_key(name), "{file}: no header {name}");
        }
        let ours: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        let names = |value: &Value| -> Vec<(String, bool)> {
            let object = value.as_object().unwrap().iter();
            object.map(|(name, value)| (name.clone(), value.is_string())).collect()
        };
        assert_eq!(names(&ours), names(&theirs["body"]), "{file}");
        for told in ["error", "error_description", "resource", "token_type"] {
            assert_eq!(ours[told], theirs["body"][told], "{file}: {told}");
        }
        if file == "imds-token-client-id" {
            assert_eq!(ours["client_id"], theirs["body"]["client_id"]);
        }
    }
}

#[tokio::test]
async fn the_metadata_service_grants_tokens_that_the_vault_accepts() {
    let vault = Emulator::builder().start().unwrap();
    let url = format!("{}{IMDS}&resource=https%3A%2F%2Fvault.azure.net", vault.imds_endpoint());
    let (status, body) = get(&url, None).await;
    let missing = json!({
        "error": "invalid_request",
        "error_description": "Required metadata header not specified",
    });
    assert_eq!((status, body), (400, missing));
    let (status, body) = get(&url, Some(("Metadata", "true"))).await;
    assert_eq!(status, 200);
    let members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, OF_A_MACHINE);
    assert_eq!(body["expires_in"], "86400");
    let mut client = Client::new(&vault);
    client.token = body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(client.get("/keys?api-version=7.4").await.status, 200);
    let stats = vault.stats();
    // One by the client's constructor, one here.
    assert_eq!((stats.token_requests, stats.tokens_issued), (2, 2));
}

#[tokio::test]
async fn tokens_for_other_services_are_refused() {
    let vault = Emulator::builder().start().unwrap();
    let url = format!("{}{IMDS}&resource=https://management.azure.com/", vault.imds_endpoint());
    let (_, body) = get(&url, Some(("metadata", "True"))).await;
    let mut client = Client::new(&vault);
    client.token = body["access_token"].as_str().unwrap().to_owned();
    let answer = client.get("/keys?api-version=7.4").await;
    assert_eq!(answer.status, 401);
    assert!(answer.text.contains(
        "AKV10022: Invalid audience. Expected https://vault.azure.net, found: \
         https://management.azure.com/."
    ));
}

#[tokio::test]
async fn app_service_requires_its_header() {
    let vault = Emulator::builder().start().unwrap();
    let url = format!(
        "{}?api-version=2019-08-01&resource=https://vault.azure.net",
        vault.identity_endpoint()
    );
    let (status, _) = get(&url, Some(("X-IDENTITY-HEADER", "wrong"))).await;
    assert_eq!(status, 401);
    let (status, body) = get(&url, Some(("X-IDENTITY-HEADER", vault.identity_header()))).await;
    assert_eq!(status, 200);
    let members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["access_token", "client_id", "expires_on", "resource", "token_type"]);
    assert!(body["expires_on"].is_string());
}

/// Sends a request to the agent of an Azure Arc server; returns status, challenge and body.
async fn ask_agent(vault: &Emulator, secret: Option<&str>) -> (u16, String, Value) {
    let url =
        format!("{}?api-version=2020-06-01&resource=https://vault.azure.net", vault.arc_endpoint());
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(common::tls(vault))
        .no_proxy()
        .build()
        .unwrap();
    let mut request = client.get(url).header("Metadata", "true");
    if let Some(secret) = secret {
        request = request.header("Authorization", format!("Basic {secret}"));
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let challenge = response.headers().get("www-authenticate");
    let challenge = challenge.map_or("", |value| value.to_str().unwrap()).to_owned();
    (status, challenge, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

#[tokio::test]
async fn the_arc_agent_requires_a_readable_secret_file() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Emulator::builder().start().unwrap();
    assert_eq!(ask_agent(&vault, None).await.0, 404, "no Azure Arc server yet");
    vault.set_arc_folder(Some(folder.path().to_owned()));
    let (status, challenge, _) = ask_agent(&vault, None).await;
    assert_eq!(status, 401);
    let file = Path::new(challenge.strip_prefix("Basic realm=").unwrap());
    assert_eq!((file.parent(), file.extension().unwrap()), (Some(folder.path()), "key".as_ref()));
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = fs::read_to_string(file).unwrap();
    assert_eq!(ask_agent(&vault, Some("guess")).await.0, 401);
    let (status, _, body) = ask_agent(&vault, Some(&secret)).await;
    assert_eq!(status, 200);
    let members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, OF_A_MACHINE);
    assert!(body["expires_on"].is_string());
    assert!(!file.exists());
    assert_eq!(ask_agent(&vault, Some(&secret)).await.0, 401, "a secret is good for one token");
    let mut client = Client::new(&vault);
    client.token = body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(client.get("/keys?api-version=7.4").await.status, 200);

    let impostor = folder.path().join("elsewhere");
    vault.set_arc_challenge(Some(impostor.clone()));
    let (_, challenge, _) = ask_agent(&vault, None).await;
    assert_eq!(challenge, format!("Basic realm={}", impostor.display()));
}

#[tokio::test]
async fn the_metadata_service_fails_on_demand() {
    let vault = Emulator::builder().start().unwrap();
    let url = format!("{}{IMDS}&resource=https://vault.azure.net", vault.imds_endpoint());
    for status in [404, 410, 429, 500] {
        vault.fault(Fault::status(status).on(Operation::Token));
    }
    // A fault of the data plane: has no effect here.
    vault.fault(Fault::throttled());
    for expected in [404, 410, 429, 500, 200] {
        assert_eq!(get(&url, Some(("Metadata", "true"))).await.0, expected);
    }
}

#[tokio::test]
async fn user_assigned_identities_are_selected_by_each_of_their_ids() {
    let vault = Emulator::builder().start().unwrap();
    let resource_id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/\
                       userAssignedIdentities/mine";
    vault.assign_identity(AssignedIdentity {
        client_id: "the-client".to_owned(),
        object_id: "the-object".to_owned(),
        resource_id: resource_id.to_owned(),
    });
    let resource = "&resource=https://vault.azure.net";
    let machine = format!("{}{IMDS}{resource}", vault.imds_endpoint());
    let app = format!("{}?api-version=2019-08-01{resource}", vault.identity_endpoint());
    let endpoints =
        [(machine, ("Metadata", "true")), (app, ("X-IDENTITY-HEADER", vault.identity_header()))];
    for (url, header) in endpoints {
        for asked in [
            "client_id=the-client".to_owned(),
            "object_id=the-object".to_owned(),
            "principal_id=The-Object".to_owned(),
            format!("msi_res_id={resource_id}"),
            format!("mi_res_id={}", resource_id.to_lowercase()),
        ] {
            let (status, body) = get(&format!("{url}&{asked}"), Some(header)).await;
            assert_eq!((status, &body["client_id"]), (200, &json!("the-client")), "{asked}");
        }
        for asked in ["client_id=other", "object_id=other", "mi_res_id=/subscriptions/other"] {
            let (status, body) = get(&format!("{url}&{asked}"), Some(header)).await;
            assert_eq!((status, &body["error"]), (400, &json!("invalid_request")), "{asked}");
            assert_eq!(body["error_description"], "Identity not found");
        }
        let (status, body) = get(&url, Some(header)).await;
        assert_eq!(status, 200, "the machine's own");
        assert_ne!(body["client_id"], "the-client");
    }
}
