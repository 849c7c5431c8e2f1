//! curl, which authenticates to a server with a key in the vault.

use akv_emulator::Persona;
use akv_tests::{Server, Task};
use anyhow::Result;

use crate::stage::{LIMIT, Stage, VaultKey};

/// A server that requires the certificate of this key, and serves a page about it.
fn server(stage: &Stage, key: &VaultKey, protocol: &str) -> Result<(Server, String)> {
    let [cert, own] = stage.neighbour()?;
    let line = format!(
        "s_server -accept 127.0.0.1:0 -cert {cert} -key {own} {protocol} -www \
         -Verify 1 -verify_return_error -CAfile {}",
        key.certificate
    );
    let task = stage.client.task(line.split_whitespace());
    Server::start(task, LIMIT, |line| line.strip_prefix("ACCEPT ").map(str::to_owned))
}

fn fetch(stage: &Stage, address: &str, key: &VaultKey, options: &[&str]) -> Result<()> {
    let port = address.rsplit(':').next().unwrap_or_default();
    let task: Task = stage
        .task("curl")
        .args(["--silent", "--show-error", "--fail", "--noproxy", "*", "--cert", &key.certificate])
        .args(["--cacert", &stage.site.text("neighbour.pem")])
        .args(["--resolve", &format!("neighbour:{port}:127.0.0.1")])
        .args(options)
        .arg(format!("https://neighbour:{port}/"));
    let page = task.ok()?.text();
    assert!(page.contains("Client certificate") && page.contains("CN=localhost"), "{page}");
    Ok(())
}

fn proves_itself(name: impl Fn(&Stage, &VaultKey) -> Result<Vec<String>>) -> Result<()> {
    let stage = Stage::open(Persona::ManagedHsm)?;
    for key in stage.keys() {
        for protocol in ["-tls1_2", "-tls1_3"] {
            let (server, address) = server(&stage, key, protocol)?;
            let before = stage.site.vault().stats().sign;
            let options = name(&stage, key)?;
            let options: Vec<&str> = options.iter().map(String::as_str).collect();
            fetch(&stage, &address, key, &options)
                .map_err(|error| error.context(server.output()))?;
            assert_eq!(stage.site.vault().stats().sign, before + 1);
        }
    }
    Ok(())
}

#[test]
fn authenticates_with_engine_and_key_string() -> Result<()> {
    proves_itself(|_, key| {
        let key = format!("engine:e_akv:{}", key.reference);
        Ok(["--engine", "e_akv", "--key-type", "ENG", "--key", &key].map(str::to_owned).to_vec())
    })
}

#[test]
fn authenticates_with_a_key_file() -> Result<()> {
    proves_itself(|stage, key| Ok(vec!["--key".into(), stage.key_file(key)?]))
}
