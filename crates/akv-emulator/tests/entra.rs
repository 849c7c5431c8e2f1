//! The authority: tokens for registered applications, and the refusals of Microsoft Entra ID.

mod common;

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::Path,
    sync::LazyLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use akv_emulator::{Application, Emulator, Fault, FaultKind, Operation};
use aws_lc_rs::digest;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use common::{Answer, Client};
use reqwest::Method;
use rsa::{Pkcs1v15Sign, PrivateKey, pkcs8::DecodePrivateKey as _};
use serde_json::{Value, json};

const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const CLIENT: &str = "26790ce1-d05c-4de7-ba73-51837152f0bc";
const SCOPE: &str = "https://vault.azure.net/.default";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A self-signed certificate with its key.
struct Identity {
    pem: String,
    der: Vec<u8>,
    key: PrivateKey,
}

impl Identity {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["app.example".to_owned()])
            .unwrap()
            .self_signed(&key);
        let certificate = certificate.unwrap();
        Self {
            pem: certificate.pem(),
            der: certificate.der().to_vec(),
            key: PrivateKey::from_pkcs8_der(&key.serialize_der()).unwrap(),
        }
    }

    fn thumbprint(&self, algorithm: &'static digest::Algorithm) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(algorithm, &self.der))
    }

    fn header(&self) -> Value {
        json!({ "alg": "RS256", "typ": "JWT", "x5t": self.thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY) })
    }

    /// Signs with a different implementation from the one that the emulator verifies with.
    fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let text = format!("{}.{}", encode(header), encode(claims));
        let hash = digest::digest(&digest::SHA256, text.as_bytes());
        let padding = Pkcs1v15Sign::new::<sha2::Sha256>();
        let signature = self.key.sign(padding, hash.as_ref()).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// RSA keys take long to generate.
static REGISTERED: LazyLock<Identity> = LazyLock::new(Identity::new);
static STRANGER: LazyLock<Identity> = LazyLock::new(Identity::new);

fn start() -> Emulator {
    let application = Application::new(TENANT, CLIENT)
        .secret("first secret")
        .secret("s3cret&more=")
        .certificate(&REGISTERED.pem)
        .federated_token("a federated token");
    Emulator::builder().application(application).start().unwrap()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn claims(vault: &Emulator) -> Value {
    json!({
        "aud": format!("{}/{TENANT}/oauth2/v2.0/token", vault.authority()),
        "iss": CLIENT, "sub": CLIENT, "jti": "7", "nbf": now(), "exp": now() + 300,
    })
}

/// Names and values of a form.
type Fields = [(&'static str, &'static str)];

/// Posts the usual form with these fields changed, added or, if empty, removed.
async fn request_token(vault: &Emulator, tenant: &str, fields: &[(&str, &str)]) -> Answer {
    let usual = [("grant_type", "client_credentials"), ("client_id", CLIENT), ("scope", SCOPE)];
    let form: HashMap<&str, &str> = usual.iter().chain(fields).copied().collect();
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form.iter().filter(|(_, value)| !value.is_empty()));
    let mut client = Client::new(vault);
    client.token.clear();
    let response = client
        .request(Method::POST, &format!("/{tenant}/oauth2/v2.0/token"), &Value::Null)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.finish())
        .send()
        .await
        .unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}

async fn assert_with(vault: &Emulator, assertion: &str) -> Answer {
    let fields = [("client_assertion_type", JWT_BEARER), ("client_assertion", assertion)];
    request_token(vault, TENANT, &fields).await
}

fn code(answer: &Answer) -> u64 {
    answer.json()["error_codes"][0].as_u64().unwrap_or_default()
}

/// The token is valid for the vault, and contains the identity.
#[track_caller]
fn granted(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!((&claims["tid"], &claims["appid"]), (&json!(TENANT), &json!(CLIENT)));
    assert_eq!(claims["aud"], "https://vault.azure.net");
    token
}

fn recording(file: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/identity");
    serde_json::from_slice(&fs::read(folder.join(file)).unwrap()).unwrap()
}

/// Status, header names, members, and the error without its ids must be the recorded ones.
#[track_caller]
fn is_as_recorded(answer: &Answer, file: &str) {
    let recorded = &recording(file)["response"];
    let body = answer.json();
    assert_eq!(answer.status.as_u16(), recorded["status"], "{}", answer.text);
    let members = |value: &Value| -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(members(&body), members(&recorded["body"]));
    for name in members(&recorded["headers"]) {
        // Only the newest recording has it.
        if name != "x-xss-protection" && !name.starts_with("access-control") {
            assert!(answer.headers.contains_key(&name), "{file}: no header {name}");
        }
    }
    assert_eq!(body["error_codes"], recorded["body"]["error_codes"]);
    if let Some(id) = body["trace_id"].as_str() {
        assert_eq!(answer.headers["x-ms-request-id"], id);
    }
}

/// The description's first line.
fn description(body: &Value) -> String {
    let text = body["error_description"].as_str().unwrap();
    text.split("\r\n").next().unwrap().to_owned()
}

#[tokio::test]
async fn a_secret_gets_a_token_that_the_vault_accepts() {
    let vault = start();
    for secret in ["first secret", "s3cret&more="] {
        let answer = request_token(&vault, TENANT, &[("client_secret", secret)]).await;
        is_as_recorded(&answer, "token-client-secret.json");
        assert!(answer.json()["expires_in"].is_number());
        let mut client = Client::new(&vault);
        client.token = granted(&answer);
        assert_eq!(client.get("/keys?api-version=7.4").await.status, 200);
    }
    let stats = vault.stats();
    assert_eq!((stats.token_requests, stats.requests), (2, 2));
    assert_eq!(stats.operation(Operation::Token), 2);
}

#[tokio::test]
async fn tokens_expire() {
    let vault = start();
    vault.set_token_lifetime(Duration::from_secs(60));
    let answer =
        request_token(&vault, &TENANT.to_uppercase(), &[("client_secret", "first secret")]).await;
    assert_eq!(answer.json()["expires_in"], 60);
    let mut client = Client::new(&vault);
    client.token = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(client.get("/keys?api-version=7.4").await.status, 200);
    vault.shift_clock(61);
    assert_eq!(client.get("/keys?api-version=7.4").await.status, 401);
}

#[tokio::test]
async fn refusals_are_those_of_the_real_authority() {
    let vault = start();
    let wrong = request_token(&vault, TENANT, &[("client_secret", "s3cret")]).await;
    is_as_recorded(&wrong, "401-AADSTS7000215-invalid-secret.json");
    let recorded = &recording("401-AADSTS7000215-invalid-secret.json")["response"]["body"];
    assert_eq!(wrong.json()["error"], recorded["error"]);
    assert_eq!(description(&wrong.json()), description(recorded));

    let elsewhere = request_token(&vault, "contoso.example", &[("client_secret", "s3cret")]).await;
    is_as_recorded(&elsewhere, "400-AADSTS90002-tenant-not-found.json");

    let stranger = STRANGER.sign(&STRANGER.header(), &claims(&vault));
    let answer = assert_with(&vault, &stranger).await;
    is_as_recorded(&answer, "401-AADSTS700027-invalid-assertion.json");
    let recorded = &recording("401-AADSTS700027-invalid-assertion.json")["response"]["body"];
    let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &STRANGER.der);
    let thumbprint: String = sha1.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    let expected =
        description(recorded).replace("8CA6895C58FD5C9AEED13121F784629BE0261977", &thumbprint);
    assert_eq!(description(&answer.json()), expected);
}

#[tokio::test]
async fn invalid_requests_have_distinct_errors() {
    let vault = start();
    let secret = ("client_secret", "first secret");
    let cases: [(&Fields, u16, u64); 8] = [
        (&[secret, ("client_id", "00000000-0000-0000-0000-000000000000")], 400, 700_016),
        (&[secret, ("client_id", "")], 400, 900_144),
        (&[secret, ("grant_type", "password")], 400, 70_003),
        (&[secret, ("scope", "https://vault.azure.net")], 400, 1_002_012),
        (&[], 401, 7_000_218),
        (&[("client_assertion", "x")], 400, 900_144),
        (&[("client_assertion", "x"), ("client_assertion_type", "saml")], 400, 50_026),
        (&[("client_assertion", "x"), ("client_assertion_type", JWT_BEARER)], 400, 50_027),
    ];
    for (fields, status, expected) in cases {
        let answer = request_token(&vault, TENANT, fields).await;
        assert_eq!((answer.status.as_u16(), code(&answer)), (status, expected), "{fields:?}");
    }
    assert_eq!(vault.stats().tokens_issued, 8, "only those of this test's own clients");
}

#[tokio::test]
async fn federated_tokens_are_accepted_while_they_are_valid() {
    let vault = start();
    granted(&assert_with(&vault, "a federated token").await);
    let encode = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let token = |life: u64| {
        let claims = json!({ "iss": "https://cluster.example", "sub": "pod", "exp": now() + life });
        format!("{}.{}.c2lnbmF0dXJl", encode(json!({ "alg": "RS256", "kid": "1" })), encode(claims))
    };
    let (known, unknown) = (token(600), token(601));
    let application = Application::new(TENANT, CLIENT).federated_token(&known);
    vault.register(application).unwrap();
    granted(&assert_with(&vault, &known).await);
    let answer = assert_with(&vault, &unknown).await;
    assert_eq!((answer.status.as_u16(), code(&answer)), (401, 700_213));
    assert!(answer.text.contains("assertion subject 'pod'"), "{}", answer.text);
    assert!(!answer.text.contains(&unknown));
    vault.shift_clock(1000);
    assert_eq!(code(&assert_with(&vault, &known).await), 700_024);
}

#[tokio::test]
async fn an_assertion_of_a_registered_certificate_is_accepted() {
    let vault = start();
    let sha256 = REGISTERED.thumbprint(&digest::SHA256);
    let whole = STANDARD.encode(&REGISTERED.der);
    for header in [
        REGISTERED.header(),
        json!({ "alg": "RS256", "x5t#S256": sha256 }),
        json!({ "alg": "RS256", "x5c": [whole] }),
    ] {
        granted(&assert_with(&vault, &REGISTERED.sign(&header, &claims(&vault))).await);
    }
    let mut fraction = claims(&vault);
    fraction["exp"] = json!(now() as f64 + 300.5);
    granted(&assert_with(&vault, &REGISTERED.sign(&REGISTERED.header(), &fraction)).await);
}

#[tokio::test]
async fn invalid_assertions_have_distinct_errors() {
    let vault = start();
    let changed = |name: &str, value: Value| {
        let mut claims = claims(&vault);
        claims[name] = value;
        REGISTERED.sign(&REGISTERED.header(), &claims)
    };
    let header = |header: Value| REGISTERED.sign(&header, &claims(&vault));
    let good = REGISTERED.sign(&REGISTERED.header(), &claims(&vault));
    let (signed, _) = good.rsplit_once('.').unwrap();
    let foreign = STRANGER.sign(&REGISTERED.header(), &claims(&vault));
    let both = json!({ "alg": "RS256", "x5t": REGISTERED.thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY),
                       "x5c": [STANDARD.encode(&STRANGER.der)] });
    let cases = [
        ("signed by another key", foreign, 700_027),
        ("without a signature", format!("{signed}."), 700_027),
        (
            "labelled as PS256",
            header(json!({ "alg": "PS256", "x5t": REGISTERED.header()["x5t"] })),
            700_027,
        ),
        (
            "labelled as none",
            header(json!({ "alg": "none", "x5t": REGISTERED.header()["x5t"] })),
            700_027,
        ),
        ("with another certificate", header(both), 700_027),
        ("without a thumbprint", header(json!({ "alg": "RS256" })), 700_213),
        ("for another audience", changed("aud", "https://login.example/token".into()), 700_023),
        ("of another issuer", changed("iss", "somebody".into()), 700_021),
        ("about another subject", changed("sub", "somebody".into()), 700_021),
        ("without an id", changed("jti", Value::Null), 50_027),
        ("expired", changed("exp", (now() - 301).into()), 700_024),
        ("without an end", changed("exp", Value::Null), 700_024),
        ("not yet valid", changed("nbf", (now() + 302).into()), 700_024),
    ];
    for (what, assertion, expected) in cases {
        let answer = assert_with(&vault, &assertion).await;
        assert_eq!(code(&answer), expected, "{what}: {}", answer.text);
    }
}

#[tokio::test]
async fn clients_find_the_endpoint_by_discovery() {
    let vault = start();
    let mut client = Client::new(&vault);
    client.token.clear();
    let instance = client.get("/common/discovery/instance?api-version=1.1").await.json();
    let host = vault.authority().trim_start_matches("https://");
    assert_eq!(instance["metadata"][0]["aliases"], json!([host]));
    let path = format!("/{TENANT}/v2.0/.well-known/openid-configuration");
    let configuration = client.get(&path).await.json();
    let endpoint = format!("{}/{TENANT}/oauth2/v2.0/token", vault.authority());
    assert_eq!(configuration["token_endpoint"], endpoint);
    let unknown = client.get("/contoso.example/v2.0/.well-known/openid-configuration").await;
    is_as_recorded(&unknown, "400-AADSTS90002-tenant-not-found.json");
    assert_eq!(unknown.json()["error"], "invalid_tenant");
    assert_eq!(vault.stats().token_requests, 0);

    let named = Client::named(&vault, "login.microsoftonline.com");
    assert_eq!(named.get("/common/discovery/instance").await.status, 200);
}

#[tokio::test]
async fn faults_apply_to_the_authority_too() {
    let vault = start();
    vault.fault(Fault::retry_after(503, 3).on(Operation::Token));
    for kind in [FaultKind::NotJson, FaultKind::EmptyBody, FaultKind::WrongShape] {
        vault.fault(Fault::new(kind).on(Operation::Token));
    }
    let secret = [("client_secret", "first secret")];
    let busy = request_token(&vault, TENANT, &secret).await;
    assert_eq!((busy.status.as_u16(), &busy.headers["retry-after"]), (503, &"3".parse().unwrap()));
    assert_eq!(busy.json()["error"], "temporarily_unavailable");
    assert!(request_token(&vault, TENANT, &secret).await.text.contains("<html>"));
    assert_eq!(request_token(&vault, TENANT, &secret).await.text, "");
    assert!(request_token(&vault, TENANT, &secret).await.json()["access_token"].is_null());
    granted(&request_token(&vault, TENANT, &secret).await);
    assert_eq!((vault.stats().token_requests, vault.stats().faults), (5, 4));
}

#[test]
fn a_certificate_that_cannot_be_read_is_refused() {
    let application = Application::new(TENANT, CLIENT).certificate("no certificate");
    let error = Emulator::builder().application(application).start().unwrap_err();
    assert!(error.to_string().contains("invalid PEM certificate"), "{error}");
}

#[tokio::test]
async fn certificates_and_federated_tokens_are_answered_as_recorded() {
    let vault = start();
    let good = REGISTERED.sign(&REGISTERED.header(), &claims(&vault));
    is_as_recorded(&assert_with(&vault, &good).await, "token-client-certificate.json");
    is_as_recorded(&assert_with(&vault, "a federated token").await, "token-workload-identity.json");
}

/// The discovery documents. The emulator's have no members for unsupported features, such as
/// interactive sign-in.
#[tokio::test]
async fn discovery_matches_the_recordings_for_supported_features() {
    let vault = start();
    let client = Client::new(&vault);
    for (file, path) in [
        ("instance-discovery.json", "/common/discovery/instance".to_owned()),
        ("openid-configuration.json", format!("/{TENANT}/v2.0/.well-known/openid-configuration")),
    ] {
        let recorded = &recording(file)["response"];
        let answer = client.get(&path).await;
        assert_eq!(recorded["status"], answer.status.as_u16(), "{file}");
        for name in recorded["headers"].as_object().unwrap().keys() {
            let newest = name == "x-xss-protection" || name.starts_with("access-control");
            assert!(newest || answer.headers.contains_key(name), "{file}: no header {name}");
        }
        for (name, ours) in answer.json().as_object().unwrap() {
            let theirs = &recorded["body"][name];
            match (ours, theirs) {
                (Value::String(ours), Value::String(theirs)) => {
                    let theirs = theirs
                        .replace("https://login.microsoftonline.com", vault.authority())
                        .replace(
                            "fake-tenant",
                            if name.starts_with("tenant") { "common" } else { TENANT },
                        );
                    assert_eq!(*ours, theirs, "{file}: {name}");
                }
                (ours, theirs) => assert!(ours.is_array() && theirs.is_array(), "{file}: {name}"),
            }
        }
    }
}
