//! `akv doctor` as a new user would try it: on configurations with one defect each, it must report
//! the real cause.

use std::{
    fs,
    net::{TcpListener, UdpSocket},
    time::{Duration, SystemTime},
};

use akv_emulator::{Application, Curve, Emulator, Fault, FaultKind, NewKey, Operation, Persona};
use akv_tests::{
    Task, modules,
    namespace::{self, Files},
};
use anyhow::Result;
use domain::base::{Message, MessageBuilder, iana::Rcode};
use serde_json::Value;

use crate::World;

/// The doctor's report on the key `p256`, with checks of the vault only.
pub(crate) struct Diagnosis {
    pub(crate) value: Value,
    code: Option<i32>,
}

pub(crate) fn diagnose(task: Task) -> Diagnosis {
    let output = task.arg("--json").run().expect("an end");
    let value = serde_json::from_slice(&output.stdout);
    let value = value.unwrap_or_else(|_| panic!("no JSON: {}", output.describe()));
    Diagnosis { value, code: output.status.code() }
}

impl Diagnosis {
    /// Checks the cause's id, and that its text and advice contain these words.
    pub(crate) fn has_cause(&self, cause: &str, words: &[&str]) {
        let text = format!("{:#}", self.value["cause"]);
        assert_eq!(self.value["cause"]["id"], cause, "{:#}", self.value);
        for word in words {
            assert!(text.contains(word), "{word:?} in {text}");
        }
        assert_eq!(self.code, Some(1), "{text}");
    }

    pub(crate) fn finds_no_cause(&self) {
        assert_eq!(self.value["cause"], Value::Null, "{:#}", self.value);
        assert_eq!((self.code, &self.value["works"]), (Some(0), &Value::Bool(true)));
    }

    pub(crate) fn check(&self, name: &str) -> &Value {
        let all = self.value["checks"].as_array().expect("checks");
        all.iter().find(|check| check["name"] == name).unwrap_or(&Value::Null)
    }
}

const DOCTOR: &str = "doctor vault:my-vault:p256 --no-openssl";

/// With a connection to the vault, and without any credential.
fn no_credential(world: &World) -> Task {
    world
        .bare(DOCTOR)
        .env("AKV_ENDPOINT", world.vault.endpoint())
        .env("AKV_CA_FILE", world.path("ca.pem"))
        .env("IMDS_ENDPOINT", "http://127.0.0.1:1")
        .env("AZURE_AUTHORITY_HOST", world.vault.authority())
        // No `az` and no `azd`.
        .env("PATH", world.path("empty"))
}

#[test]
fn a_working_configuration_passes() {
    let world = World::with_keys();
    let diagnosis = diagnose(world.akv(DOCTOR));
    diagnosis.finds_no_cause();
    assert_eq!(diagnosis.check("tls")["postQuantum"], true);
    assert_eq!(diagnosis.check("tls")["group"], "X25519MLKEM768");
    let parts = diagnosis.check("latency")["milliseconds"].as_object().unwrap();
    let names: Vec<_> = parts.keys().map(String::as_str).collect();
    assert_eq!(names, ["connect", "dns", "firstbyte", "service", "tls", "token"]);
    assert!(parts["firstbyte"].as_f64() > Some(0.0));
    let settings = diagnosis.check("settings")["settings"].as_array().unwrap();
    let endpoint = settings.iter().find(|set| set["name"] == "endpoint").unwrap();
    assert_eq!(endpoint["origin"], "AKV_ENDPOINT");
    // One for a challenge, one for the key, one signature.
    let stats = world.vault.stats();
    assert_eq!((stats.requests, stats.sign, stats.get_key), (3, 1, 1), "{stats:?}");
    let text = world.ok(DOCTOR).text();
    assert!(text.contains("counters") && text.contains("operations, 0 failed"), "{text}");
    assert!(text.contains("Everything works.") && text.contains("X25519MLKEM768"), "{text}");
}

#[test]
fn service_time_of_a_managed_hsm_is_reported() {
    let world = World::of(Persona::ManagedHsm);
    world.vault.create_key(NewKey::ec("web", Curve::P256)).unwrap();
    let diagnosis = diagnose(world.akv("doctor managedHsm:my-hsm:web --no-openssl"));
    diagnosis.finds_no_cause();
    let lines = diagnosis.check("latency")["lines"].to_string();
    assert!(lines.contains("reported by the service"), "{lines}");
    assert_eq!(diagnosis.check("tls")["protocol"], "http/1.1");
}

#[test]
fn missing_token_is_reported() {
    let world = World::with_keys();
    let diagnosis = diagnose(no_credential(&world));
    diagnosis.has_cause("no-token", &["managed identity", "az login"]);
    let lines = diagnosis.check("credential")["lines"].to_string();
    for credential in [
        "access-token",
        "client-secret",
        "workload-identity",
        "managed-identity",
        "azure-cli",
        "azure-developer-cli",
    ] {
        assert!(
            lines.contains(&format!("{credential} returned no token")),
            "{credential}: {lines}"
        );
    }
}

#[test]
fn wrong_tenant_is_reported() {
    let world = World::with_keys();
    // The tenant's id is wrong.
    world.vault.register(Application::new("right", "client").secret("s3cret")).unwrap();
    let application = |tenant: &str| {
        no_credential(&world)
            .env("AZURE_TENANT_ID", tenant)
            .env("AZURE_CLIENT_ID", "client")
            .env("AZURE_CLIENT_SECRET", "s3cret")
    };
    diagnose(application("right")).finds_no_cause();
    let mistaken = diagnose(application("wrong"));
    mistaken.has_cause("tenant", &["AADSTS", "client-secret", "AZURE_TENANT_ID"]);
    assert!(!mistaken.value.to_string().contains("s3cret"));
    // The token is valid, but for another tenant than the vault's.
    world.vault.set_tenant(Some("5e11e500-0000-4000-8000-000000000001".into()));
    let other = diagnose(application("right"));
    other.has_cause(
        "tenant",
        &["belongs to the tenant right", "5e11e500-0000-4000-8000-000000000001"],
    );
}

#[test]
fn missing_role_is_reported() {
    let world = World::with_keys();
    let with_fault = |kind, operation| {
        world.vault.clear_faults();
        world.vault.fault(Fault::new(kind).on(operation).forever());
        diagnose(world.akv(DOCTOR))
    };
    let role = ["Key Vault Crypto User", "az role assignment create", "656d756c-6174"];
    with_fault(FaultKind::ForbiddenByRole, Operation::GetKey).has_cause("role", &role);
    with_fault(FaultKind::ForbiddenByRole, Operation::Sign).has_cause("role", &role);
    with_fault(FaultKind::Forbidden, Operation::Sign).has_cause("role", &["access policies"]);
}

#[test]
fn unknown_vault_name_is_reported() -> Result<()> {
    let files =
        Files { hosts: "127.0.0.1 localhost\n", resolv_conf: Some("nameserver 127.0.0.1\n") };
    namespace::run_inside("doctor::unknown_vault_name_is_reported", files, || {
        let doctor = || {
            let task = Task::new(env!("CARGO_BIN_EXE_akv")).args(DOCTOR.split(' '));
            diagnose(task.args(["--timeout", "3s"]))
        };
        // There is no name server: the name may be correct.
        doctor().has_cause("dns", &["my-vault.vault.azure.net", "/etc/resolv.conf"]);
        let socket = UdpSocket::bind(("127.0.0.1", 53))?;
        std::thread::spawn(move || answer_nxdomain(&socket));
        doctor().has_cause("vault-name", &["there is no vault my-vault", "az keyvault list"]);
        Ok(())
    })
}

fn answer_nxdomain(socket: &UdpSocket) -> Result<()> {
    let mut buffer = [0; 1500];
    loop {
        let (length, asker) = socket.recv_from(&mut buffer)?;
        let question = Message::from_octets(&buffer[..length])?;
        let answer = MessageBuilder::new_vec().start_answer(&question, Rcode::NXDOMAIN)?;
        socket.send_to(answer.finish().as_slice(), asker)?;
    }
}

#[test]
fn blocked_network_is_reported() -> Result<()> {
    let world = World::with_keys();
    let at = |endpoint: &str| {
        let task = world.bare(DOCTOR).env("AZURE_CLI_ACCESS_TOKEN", world.vault.token());
        diagnose(task.args(["--timeout", "1s", "--endpoint", endpoint]))
    };
    // A server that accepts the connection and never responds.
    let silent = TcpListener::bind(("127.0.0.1", 0))?;
    at(&format!("https://{}", silent.local_addr()?)).has_cause("network", &["blocked", "proxy"]);
    // A server that cuts the connection.
    world.vault.fault(Fault::new(FaultKind::ResetOnAccept).forever());
    at(world.vault.endpoint()).has_cause("network", &["blocked", "the connection was lost"]);
    world.vault.clear_faults();
    // The vault's own firewall.
    world.vault.fault(Fault::new(FaultKind::ForbiddenByFirewall).forever());
    diagnose(world.akv(DOCTOR)).has_cause("network", &["firewall", "network settings"]);
    // A proxy that does not exist.
    let proxy = world.akv(DOCTOR).env("HTTPS_PROXY", "http://127.0.0.1:1");
    diagnose(proxy).has_cause("proxy", &["127.0.0.1:1", "HTTPS_PROXY"]);
    Ok(())
}

#[test]
fn missing_route_is_reported() -> Result<()> {
    let files = Files { hosts: "192.0.2.1 my-vault.vault.azure.net\n", resolv_conf: None };
    namespace::run_inside("doctor::missing_route_is_reported", files, no_route)
}

fn no_route() -> Result<()> {
    let doctor = diagnose(Task::new(env!("CARGO_BIN_EXE_akv")).args(DOCTOR.split(' ')));
    doctor.has_cause("network", &["my-vault.vault.azure.net is blocked", "192.0.2.1:443"]);
    Ok(())
}

#[test]
fn untrusted_certificate_is_reported() {
    let world = World::with_keys();
    let other = World::new();
    fs::copy(other.path("ca.pem"), world.path("other.pem")).unwrap();
    let distrusting = world.akv(DOCTOR).args(["--ca-file", "other.pem"]);
    diagnose(distrusting).has_cause("ca", &["CN=akv-emulator CA", "does not trust", "AKV_CA_FILE"]);
    // No CA file is set: the emulator's is not among the system's.
    let unnamed = world.bare(DOCTOR).env("AKV_ENDPOINT", world.vault.endpoint());
    diagnose(unnamed).has_cause("ca", &["CN=akv-emulator CA", "does not trust", "ca-certificates"]);
    let missing = world.akv(DOCTOR).args(["--ca-file", "none.pem"]);
    diagnose(missing).has_cause("settings", &["--ca-file", "none.pem"]);
}

#[test]
fn skewed_clock_is_reported() {
    let world = World::with_keys();
    // Shifts the server's clock instead of this machine's.
    world.vault.shift_clock(-2 * 3600);
    let task = || world.akv(DOCTOR).env("IMDS_ENDPOINT", world.vault.imds_endpoint());
    let ahead = diagnose(task());
    ahead.has_cause("clock", &["2 hours ahead", "NTP"]);
    assert_eq!(ahead.check("clock")["state"], "bad");
    world.vault.shift_clock(4 * 3600);
    diagnose(task()).has_cause("clock", &["2 hours behind", "NTP"]);
    world.vault.shift_clock(-2 * 3600);
    diagnose(task()).finds_no_cause();
}

#[test]
fn unusable_key_is_reported() {
    let world = World::new();
    world.vault.create_key(NewKey::ec("p256", Curve::P256).enabled(false)).unwrap();
    diagnose(world.akv(DOCTOR)).has_cause("disabled", &["p256 is disabled", "--enabled true"]);
    let world = World::new();
    world.vault.create_key(NewKey::ec("p256", Curve::P256).key_ops(["verify"])).unwrap();
    diagnose(world.akv(DOCTOR)).has_cause("operation", &["does not permit sign"]);
    let world = World::new();
    diagnose(world.akv(DOCTOR))
        .has_cause("key-name", &["no such key", "akv key list vault:my-vault:"]);
}

#[test]
fn unusable_module_is_reported() {
    let world = World::with_keys();
    // As installed without the modules: the build folder may contain some.
    let akv = world.path("akv");
    let built = env!("CARGO_BIN_EXE_akv");
    if fs::hard_link(built, &akv).is_err() {
        fs::copy(built, &akv).unwrap();
    }
    let task = |more: &[&str]| {
        Task::new(&akv)
            .args(["doctor", "vault:my-vault:p256", "--openssl", "openssl"])
            .args(more)
            .dir(world.folder.path())
            .env("AKV_ENDPOINT", world.vault.endpoint())
            .env("AKV_CA_FILE", world.path("ca.pem"))
            .env("AZURE_CLI_ACCESS_TOKEN", world.vault.token())
    };
    diagnose(task(&[]))
        .has_cause("openssl-module", &["akv_provider.so is in none of", "--modules"]);
    let folder = modules::folder().unwrap().to_str().unwrap().to_owned();
    let whole = diagnose(task(&["--modules", &folder]));
    whole.finds_no_cause();
    assert_eq!(whole.check("provider")["state"], "good", "{:#}", whole.value);
    assert_eq!(whole.check("engine")["state"], "good", "{:#}", whole.value);
    // A module that the configuration names and that does not exist.
    world.bare("config --module gone.so -o o.cnf").ok().unwrap();
    let conf = task(&["--modules", &folder]).env("OPENSSL_CONF", world.path("o.cnf"));
    diagnose(conf).has_cause("openssl-module", &["gone.so", "does not exist"]);
    // A file that is not a module.
    world.write("broken/akv_provider.so", "no module");
    diagnose(task(&["--modules", "broken"])).has_cause("openssl-module", &["does not load"]);
    // A module with a setting that prevents it from loading.
    let module = format!("{folder}/akv_provider.so");
    world.bare("config -f -o o.cnf --module").arg(&module).ok().unwrap();
    let modules = folder.clone();
    let conf = || task(&["--modules", &modules]).env("OPENSSL_CONF", world.path("o.cnf"));
    diagnose(conf()).finds_no_cause();
    let text = String::from_utf8(world.read("o.cnf")).unwrap() + "timeout = soon\n";
    world.write("o.cnf", text);
    diagnose(conf()).has_cause("openssl-config", &["cannot use it", "timeout = \\\"soon\\\""]);
    // The same with the engine.
    world.bare("config -f --engine -o o.cnf --module").arg(folder + "/e_akv.so").ok().unwrap();
    diagnose(conf()).finds_no_cause();
    let text = String::from_utf8(world.read("o.cnf")).unwrap();
    world.write("o.cnf", text.replace("default_algorithms", "TIMEOUT = soon\ndefault_algorithms"));
    diagnose(conf()).has_cause("openssl-config", &["the engine", "cannot use it", "timeout"]);
}

#[test]
fn stale_environment_is_reported() {
    let world = World::with_keys();
    // An expired token takes precedence over the identity that would work.
    world.vault.set_token_lifetime(Duration::from_secs(3600));
    world.vault.shift_clock(-3 * 3600);
    let stale = world.vault.token();
    world.vault.shift_clock(3 * 3600);
    let good = || no_credential(&world).env("IMDS_ENDPOINT", world.vault.imds_endpoint());
    diagnose(good()).finds_no_cause();
    let diagnosis = diagnose(good().env("AZURE_CLI_ACCESS_TOKEN", &stale));
    diagnosis.has_cause("environment", &["AZURE_CLI_ACCESS_TOKEN", "expired 2 hours ago", "unset"]);
    assert!(!diagnosis.value.to_string().contains(&stale));
    // The same in a file.
    world.write("token", &stale);
    let in_file = good().args(["--access-token-file", "token"]);
    diagnose(in_file).has_cause("expired-token", &["the access token file", "expired 2 hours ago"]);
    // An emulator that has stopped.
    let gone = Emulator::builder().start().unwrap();
    let endpoint = gone.endpoint().to_owned();
    drop(gone);
    let leads_nowhere = diagnose(good().env("AKV_ENDPOINT", &endpoint));
    leads_nowhere.has_cause("environment", &["AKV_ENDPOINT", &endpoint, "unset"]);
    // A configuration that does not exist.
    let task = world.akv("doctor vault:my-vault:p256 --openssl openssl");
    let task = task.arg("--modules").arg(modules::folder().unwrap());
    let conf = task.env("OPENSSL_CONF", world.path("gone.cnf"));
    diagnose(conf).has_cause("openssl-environment", &["OPENSSL_CONF", "gone.cnf"]);
}

#[test]
fn refused_token_is_reported() {
    let world = World::with_keys();
    let task = || world.akv(DOCTOR).env("IMDS_ENDPOINT", "http://127.0.0.1:1");
    // A token for another audience.
    let other = world.vault.token_for("https://management.azure.com");
    let mistaken = diagnose(task().env("AZURE_CLI_ACCESS_TOKEN", &other));
    mistaken.has_cause("refused-token", &["AZURE_CLI_ACCESS_TOKEN", "management.azure.com"]);
    assert!(!mistaken.value.to_string().contains(&other));
    // A revoked token that has not expired.
    let token = world.vault.token();
    world.vault.revoke_token(&token);
    let revoked = task().env("AZURE_CLI_ACCESS_TOKEN", &token);
    diagnose(revoked).has_cause("refused-token", &["AZURE_CLI_ACCESS_TOKEN"]);
    // Not a token at all.
    let nonsense = task().env("AZURE_CLI_ACCESS_TOKEN", "nonsense");
    diagnose(nonsense).has_cause("refused-token", &["contains no readable token"]);
}

#[test]
fn validity_period_of_a_key_is_reported() {
    let hour = Duration::from_secs(3600);
    for (key, word) in [
        (NewKey::ec("p256", Curve::P256).not_before(SystemTime::now() + hour), "not valid yet"),
        (NewKey::ec("p256", Curve::P256).expires(SystemTime::now() - hour), "has expired"),
    ] {
        let world = World::new();
        world.vault.create_key(key).unwrap();
        let diagnosis = diagnose(world.akv(DOCTOR));
        diagnosis.has_cause("validity", &["p256 is outside its validity period", "akv key show"]);
        assert!(diagnosis.check("key").to_string().contains(word), "{:#}", diagnosis.value);
    }
}

#[test]
fn service_failures_and_invalid_signatures_are_reported() {
    let world = World::with_keys();
    let with_fault = |kind| {
        world.vault.clear_faults();
        world.vault.fault(Fault::new(kind).on(Operation::Sign).forever());
        diagnose(world.akv(DOCTOR).args(["--timeout", "1s"]))
    };
    with_fault(FaultKind::WrongSignature)
        .has_cause("signature", &["signature is invalid", "akv pem"]);
    let failing = FaultKind::Status { status: 503, retry_after: None };
    with_fault(failing).has_cause("service", &["503", "request id"]);
    with_fault(FaultKind::NotJson).has_cause("service", &["sign", "contact Azure support"]);
    world.vault.clear_faults();
    // A single failure is reported, but not as a cause.
    world.vault.fault(Fault::new(FaultKind::NotJson).on(Operation::Sign));
    let once = diagnose(world.akv(DOCTOR));
    once.finds_no_cause();
    assert!(once.check("signature").to_string().contains("after a retry"), "{:#}", once.value);
}

#[test]
fn invalid_references_and_settings_are_reported_without_a_request() {
    let world = World::with_keys();
    world.vault.reset_stats();
    let reference = world.akv("doctor vault:my_vault:p256 --no-openssl");
    diagnose(reference).has_cause("reference", &["my_vault"]);
    let setting = world.akv(DOCTOR).env("AKV_TIMEOUT", "soon");
    diagnose(setting).has_cause("settings", &["AKV_TIMEOUT", "soon"]);
    assert_eq!(world.vault.stats().requests, 0);
}
