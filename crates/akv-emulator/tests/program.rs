//! The program, as used from a shell.

mod common;

use std::{
    collections::HashMap,
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use common::Client;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::Method;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::{Value, json};

struct Program {
    child: Child,
    variables: HashMap<String, String>,
}

impl Program {
    /// Reads the `export` lines up to the first comment.
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_akv-emulator"))
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let variables = lines
            .map(Result::unwrap)
            .take_while(|line| !line.starts_with('#'))
            .map(|line| {
                let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
                (name.to_owned(), value.to_owned())
            })
            .collect();
        Self { child, variables }
    }

    fn client(&self) -> Client {
        let ca = fs::read(&self.variables["AKV_CA_FILE"]).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&ca).unwrap()).unwrap();
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let tls = rustls::ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let http = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy();
        Client {
            http: http.build().unwrap(),
            base: self.variables["AKV_ENDPOINT"].clone(),
            token: self.variables["AZURE_CLI_ACCESS_TOKEN"].clone(),
        }
    }

    /// Stops it, and checks that it ends gracefully.
    fn stop(mut self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // After `stop` it has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn prints_its_usage_and_stops_on_signals() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let program = Program::start(&["--key", "ec:web:P-256", "--key", "rsa-hsm:big:2048"]);
        let client = program.client();
        let key = client.get("/keys/web?api-version=7.4").await.json()["key"].clone();
        assert_eq!(key["crv"], "P-256");
        let big = client.get("/keys/big?api-version=7.4").await.json();
        assert_eq!(big["key"]["kty"], "RSA-HSM");
        let ca_file = program.variables["AKV_CA_FILE"].clone();
        program.stop(signal);
        assert!(!fs::exists(ca_file).unwrap(), "its own CA file is removed");
    }
}

#[tokio::test]
async fn the_control_interface_needs_no_token() {
    let program = Program::start(&["--persona", "managed-hsm", "--key", "ec:web:P-256"]);
    let mut client = program.client();
    let before = client.get("/keys/web").await.json()["key"]["kid"].clone();
    let token = std::mem::take(&mut client.token);
    let fault = json!([{ "kind": "status", "status": 429, "operation": "getKey" }]);
    let added = client.must(Method::POST, "/__emulator/faults", fault).await;
    assert_eq!(added, json!({ "added": 1 }));
    let bad = client.post("/__emulator/faults", json!({ "kind": "nonsense" })).await;
    assert_eq!(bad.status, 400);
    let rotated = client.must(Method::POST, "/__emulator/keys/web/rotate", Value::Null).await;
    client.token = token;
    assert_eq!(client.get("/keys/web").await.status, 429);
    let after = client.get("/keys/web").await.json()["key"]["kid"].clone();
    assert_ne!(before, after);
    assert_eq!(rotated["kid"], after);
    let stats = client.must(Method::GET, "/__emulator/stats", Value::Null).await;
    assert_eq!((&stats["get_key"], &stats["faults"]), (&json!(3), &json!(1)));
    client.must(Method::POST, "/__emulator/tokens/revoke", Value::Null).await;
    assert_eq!(client.get("/keys/web").await.status, 401);
    program.stop(Signal::SIGTERM);
}

#[tokio::test]
async fn applications_are_registered_by_argument_and_by_request() {
    let token = tempfile::NamedTempFile::new().unwrap();
    fs::write(token.path(), "a federated token\n").unwrap();
    let spec = format!("tenant=t,client=c,secret=it's,federated-token={}", token.path().display());
    let program = Program::start(&["--application", &spec]);
    let client = program.client();
    let ask = async |form: &str| {
        let request = client.http.post(format!("{}/t/oauth2/v2.0/token", client.base));
        let form = format!("grant_type=client_credentials&scope=r%2F.default&{form}");
        request.body(form).send().await.unwrap().status().as_u16()
    };
    let assertion = "client_assertion=a+federated+token&client_assertion_type=\
                     urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    assert_eq!(ask("client_id=c&client_secret=it%27s").await, 200);
    assert_eq!(ask(&format!("client_id=c&{assertion}")).await, 200);
    assert_eq!(ask("client_id=d&client_secret=other").await, 400);
    let other = json!({ "tenant": "t", "clientId": "d", "secrets": ["other"] });
    let added = client.must(Method::POST, "/__emulator/applications", other).await;
    assert_eq!(added, json!({ "added": 1 }));
    assert_eq!(ask("client_id=d&client_secret=other").await, 200);
    let bad = json!([{ "tenant": "t", "clientId": "e", "certificates": ["none"] }]);
    assert_eq!(client.post("/__emulator/applications", bad).await.status, 400);
    program.stop(Signal::SIGTERM);
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn state_folder_and_variables_file_are_readable_only_by_the_owner() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (state, token) = (path("state"), "it's a token");
    let env = path("env");
    // The world-readable file of an earlier version.
    fs::write(&env, "old").unwrap();
    fs::set_permissions(&env, fs::Permissions::from_mode(0o644)).unwrap();
    let mut arguments = vec!["--state-dir", &state, "--token", token, "--key", "ec:web:P-384"];
    arguments.extend(["--write-env", &env]);
    let mut kids = Vec::new();
    for _ in 0..2 {
        let program = Program::start(&arguments);
        assert_eq!(program.variables["AZURE_CLI_ACCESS_TOKEN"], r"'it'\''s a token'");
        let lines = fs::read_to_string(&env).unwrap();
        for (name, value) in &program.variables {
            assert!(lines.contains(&format!("export {name}={value}\n")), "{lines}");
        }
        assert_eq!(mode(Path::new(&env)), 0o600);
        for secret in ["keys/default/web.json", "ca.key"] {
            assert_eq!(mode(&folder.path().join("state").join(secret)), 0o600, "{secret}");
        }
        assert_eq!(mode(&folder.path().join("state/keys")), 0o700);
        let mut client = program.client();
        client.token = token.to_owned();
        let kid = client.get("/keys/web?api-version=7.4").await.json()["key"]["kid"].clone();
        kids.push(kid.as_str().unwrap().rsplit('/').next().unwrap().to_owned());
        program.stop(Signal::SIGTERM);
    }
    assert_eq!(kids[0], kids[1]);
}

#[tokio::test]
async fn arguments_configure_the_behaviour() {
    let program = Program::start(&[
        "--key",
        "ec:web:P-256",
        "--certificate",
        "ec:tls:P-256=CN=www.example.org",
        "--latency",
        "2,3",
        "--throttle=0.0005",
        "--retry-after",
        "--fault",
        r#"{"kind":"status","status":503,"operation":"listKeys"}"#,
        "--named-token",
        "reader=a token",
        "--permit",
        "identity=reader,operations=get+certificates/get",
        "--access-model",
        "roles",
        "--token-lifetime",
        "600",
        "--deletion-delay",
        "7",
        "--retention-days",
        "30",
        "--purge-protection",
        "--clock-shift",
        "-3600",
        "--tenant",
        "6e6d7574-6c61-746f-7220-74656e616e74",
    ]);
    let client = program.client();
    let settings = client.must(Method::GET, "/__emulator/settings", Value::Null).await;
    let expected = json!({
        "accessModel": "roles",
        "clockShift": -3600,
        "deletionDelay": 7,
        "latency": { "p50": 2.0, "p99": 3.0 },
        "tenant": "6e6d7574-6c61-746f-7220-74656e616e74",
        "throttling": { "scale": 0.0005, "retryAfter": true },
        "tokenLifetime": 600,
    });
    assert_eq!(settings, expected);
    let listed = client.get("/keys?api-version=7.4").await;
    assert_eq!(listed.status, 503);
    let mut reader = client.clone();
    reader.token = "a token".to_owned();
    let key = reader.get("/keys/web?api-version=7.4").await.json();
    assert_eq!(key["attributes"]["recoveryLevel"], "CustomizedRecoverable");
    assert_eq!(key["attributes"]["recoverableDays"], 30);
    let sign = json!({ "alg": "ES256", "value": "A".repeat(43) });
    let refusal = reader.post("/keys/web/sign?api-version=7.4", sign).await;
    assert_eq!(refusal.inner_code(), "ForbiddenByRbac");
    let certificate = reader.get("/certificates/tls?api-version=7.4").await.json();
    assert_eq!(certificate["policy"]["x509_props"]["subject"], "CN=www.example.org");
    let answer = reader.get("/keys/web?api-version=7.4").await;
    assert_eq!(answer.status, 429);
    assert!(answer.headers.contains_key("retry-after"));
    program.stop(Signal::SIGTERM);
}

#[test]
fn invalid_arguments_are_refused() {
    for (argument, value) in [
        ("--latency", "moon"),
        ("--latency", "60,15"),
        ("--throttle", "=0"),
        ("--fault", "{}"),
        ("--permit", "identity=a,operations=fly"),
        ("--named-token", "nobody"),
        ("--certificate", "ec:web:P-256"),
        ("--access-model", "anarchy"),
    ] {
        let argument = match value.strip_prefix('=') {
            Some(value) => vec![format!("{argument}={value}")],
            None => vec![argument.to_owned(), value.to_owned()],
        };
        let output =
            Command::new(env!("CARGO_BIN_EXE_akv-emulator")).args(&argument).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{argument:?}");
    }
    for key in ["rsa:web", "dsa:web:2048", "ec:web:P-999", "rsa:web:big"] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_akv-emulator")).args(["--key", key]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{key}");
        assert!(output.stdout.is_empty());
    }
    for application in ["client=c,secret=s", "tenant=t,client=c", "tenant=t,client=c,colour=red"] {
        let output = Command::new(env!("CARGO_BIN_EXE_akv-emulator"))
            .args(["--application", application])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{application}");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_akv-emulator"))
        .args(["--key", "rsa:web:1024"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!output.stderr.is_empty());
}
