//! `akv-e2e` as users run it: against a vault with other users' keys, with and without permissions,
//! and interrupted.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use akv_emulator::{Emulator, Fault, FaultKind, NewKey, Operation, Persona};
use akv_tests::{Server, Task, modules};
use anyhow::{Context as _, Result};
use nix::sys::signal::Signal;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use serde_json::Value;
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(120);

/// A vault that looks real to the program, with another user's key.
struct Vault {
    emulator: Emulator,
    folder: TempDir,
}

impl Vault {
    fn start(persona: Persona) -> Result<Self> {
        let emulator = Emulator::builder().persona(persona).start()?;
        emulator.create_key(NewKey::rsa("payroll", 2048).hsm(persona == Persona::ManagedHsm))?;
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("ca.pem"), emulator.ca_pem())?;
        fs::write(folder.path().join("token"), emulator.token())?;
        Ok(Self { emulator, folder })
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// The program, pointed here only by the environment.
    fn task(&self, arguments: &[&str]) -> Result<Task> {
        Ok(program()?
            .env("AKV_ENDPOINT", self.emulator.endpoint())
            .env("AKV_CA_FILE", self.path("ca.pem"))
            .env("AKV_ACCESS_TOKEN_FILE", self.path("token"))
            .args(arguments)
            .arg("--report")
            .arg(self.path("report")))
    }

    fn report(&self) -> Result<Value> {
        Ok(serde_json::from_slice(&fs::read(self.path("report/report.json"))?)?)
    }

    /// The other key is unchanged, and nothing else remains, not even among the deleted keys.
    fn is_as_before(&self) -> Result<()> {
        assert_eq!(self.names("keys")?, ["payroll"]);
        assert_eq!(self.names("deletedkeys")?, [] as [&str; 0]);
        Ok(())
    }

    /// The names in a list of the service, requested directly.
    fn names(&self, list: &str) -> Result<Vec<String>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.emulator.ca_pem().as_bytes())?)?;
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let tls = ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = reqwest::Client::builder().tls_backend_preconfigured(tls).build()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut names = Vec::new();
        let first = format!("{}/{list}?api-version=7.4", self.emulator.endpoint());
        let mut next = Some(first);
        while let Some(url) = next {
            let page: Value = runtime.block_on(async {
                let answer = client.get(url).bearer_auth(self.emulator.token()).send().await?;
                let body = answer.error_for_status()?.bytes().await?;
                anyhow::Ok(serde_json::from_slice(&body)?)
            })?;
            for item in page["value"].as_array().context("a page")? {
                let name = item["kid"].as_str().and_then(|kid| kid.rsplit('/').next());
                names.push(name.context("a name")?.to_owned());
            }
            next = page["nextLink"].as_str().map(str::to_owned);
        }
        Ok(names)
    }
}

fn program() -> Result<Task> {
    let task = Task::new(env!("CARGO_BIN_EXE_akv-e2e")).limit(LIMIT);
    Ok(task.env(modules::VARIABLE, modules::folder()?))
}

fn files(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().context("a name")?.to_string_lossy().into_owned();
        files.push((name, fs::read_to_string(path)?));
    }
    Ok(files)
}

#[test]
fn a_run_leaves_the_vault_as_it_was_and_a_record_without_secrets() -> Result<()> {
    for (persona, flag, label) in
        [(Persona::Vault, "--vault", "vault"), (Persona::ManagedHsm, "--hsm", "hsm")]
    {
        let vault = Vault::start(persona)?;
        let record = vault.path("record");
        let only = ["rust", "provider dgst -sha256", "c-api sign_file, ES256"];
        let mut arguments = vec![flag, "contoso-pay"];
        only.iter().for_each(|text| arguments.extend(["--only", text]));
        let output = vault.task(&arguments)?.arg("--record").arg(&record).run()?;
        assert!(output.status.success(), "{}", output.describe());
        vault.is_as_before()?;

        let report = vault.report()?;
        let cases = report["cases"].as_array().context("cases")?;
        assert_eq!(report["passed"], true);
        assert!(cases.len() > 40, "{}", cases.len());
        assert!(cases.iter().all(|case| case["result"] == "passed" && case["target"] == label));
        let junit = fs::read_to_string(vault.path("report/junit.xml"))?;
        let all = format!("tests=\"{}\" skipped=\"0\" failures=\"0\" errors=\"0\"", cases.len());
        assert!(junit.contains(&all), "no {all} in {junit}");

        let files = files(&record.join(label))?;
        let signed = files.iter().filter(|(name, _)| name.ends_with("-sign-200.json"));
        assert!(signed.count() > 60, "{}", files.len());
        // Sent by the Rust API, by `openssl` and by a C program.
        for front in ["rust", "provider", "c-api"] {
            assert!(cases.iter().any(|case| case["through"] == front), "{front}");
        }
        let token = vault.emulator.token();
        let host = vault.emulator.endpoint().trim_start_matches("https://").to_owned();
        for (name, text) in &files {
            for secret in [token.as_str(), "contoso-pay", "payroll", &host, "127.0.0.1"] {
                assert!(!text.contains(secret), "{secret} is in {name}: {text}");
            }
            let exchange: Value = serde_json::from_str(text)?;
            assert!(exchange["response"]["status"].is_u64(), "{name}");
        }
        let listed = files.iter().find(|(name, _)| name.ends_with("-GET-keys-200.json"));
        assert!(listed.is_some_and(|(_, text)| text.contains("/keys")), "no list was recorded");
    }
    Ok(())
}

#[test]
fn an_interrupted_run_deletes_its_keys_and_has_not_passed() -> Result<()> {
    let vault = Vault::start(Persona::Vault)?;
    let task = vault.task(&["--vault", "contoso-pay", "--only", "vault rust"])?;
    let ready = |line: &str| line.contains("vault rust list has").then_some(());
    let (server, ()) = Server::start(task, LIMIT, ready)?;
    assert!(vault.names("keys")?.len() > 5);
    server.signal(Signal::SIGINT)?;
    let said = server.wait_for("reports: ", LIMIT)?;
    assert!(said.contains("not run: interrupted"), "{said}");
    let error = server.finish(LIMIT).expect_err("not everything passed");
    assert!(format!("{error:#}").contains("exit status: 1"), "{error:#}");
    vault.is_as_before()?;
    assert_eq!(vault.report()?["passed"], false);
    Ok(())
}

#[test]
fn a_missing_permission_is_reported_once_by_name() -> Result<()> {
    let vault = Vault::start(Persona::Vault)?;
    let fault = Fault::new(FaultKind::ForbiddenByRole).on(Operation::RotateKey);
    vault.emulator.fault(fault.forever());
    let only = ["--vault", "contoso-pay", "--only", "vault rust sign"];
    let output = vault.task(&only)?.run()?;
    assert_eq!(output.status.code(), Some(1), "{}", output.describe());
    let said = output.text();
    assert!(said.contains("keys cannot be rotated"), "{said}");
    assert!(said.contains("0 passed, 0 failed"), "{said}");
    vault.is_as_before()?;
    let junit = fs::read_to_string(vault.path("report/junit.xml"))?;
    assert!(junit.contains("type=\"not-run\""), "{junit}");
    Ok(())
}

#[test]
fn a_failure_has_the_services_request_id() -> Result<()> {
    let vault = Vault::start(Persona::Vault)?;
    let fault = Fault::new(FaultKind::Forbidden).on(Operation::UnwrapKey);
    vault.emulator.fault(fault.forever());
    let only = ["--vault", "contoso-pay", "--only", "wrap and unwrap, RSA1_5"];
    let output = vault.task(&only)?.run()?;
    assert_eq!(output.status.code(), Some(1), "{}", output.describe());
    let report = vault.report()?;
    let mut failed = report["cases"].as_array().context("cases")?.iter();
    let failed = failed.find(|case| case["result"] == "failed").context("a failure")?;
    let id = failed["request_id"].as_str().context("a request id")?;
    assert!(output.text().contains(id), "{}", output.describe());
    assert!(failed["why"].as_str().is_some_and(|why| why.contains("403")), "{failed}");
    vault.is_as_before()
}

#[test]
fn invalid_arguments_are_refused_before_any_request() -> Result<()> {
    let vault = Vault::start(Persona::Vault)?;
    for (arguments, word) in [
        (["--vault", "contoso_pay"].as_slice(), "contoso_pay"),
        (&["--emulator", "--vault", "contoso-pay"], "cannot be used with"),
        (&["--vault", "contoso-pay", "--only", "no such case"], "--list"),
        (&[], "--emulator"),
    ] {
        let output = vault.task(arguments)?.run()?;
        assert_eq!(output.status.code(), Some(2), "{}", output.describe());
        assert!(output.stderr.contains(word), "{}", output.describe());
    }
    assert_eq!(vault.emulator.stats().connections, 0);
    Ok(())
}
