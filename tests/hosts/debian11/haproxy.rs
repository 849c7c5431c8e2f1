//! HAProxy 2.2, which reads keys only from PEM files: the key file in PKCS#8.

use akv_emulator::Persona;
use akv_tests::{Server, modules, process::wait_until};
use anyhow::{Context as _, Result};
use nix::sys::signal::Signal;

use crate::stage::{LIMIT, Stage, listen};

const READY: &str = "New worker #1";

/// Lets it start processes, and so threads.
const THREADS: &str = "insecure-fork-wanted\n ssl-engine e_akv";

/// As configured by its package: it gives up root and changes to an empty root directory.
fn start(stage: &Stage, lines: &str) -> Result<(Server, String)> {
    for (key, kind) in stage.keys().into_iter().zip(["rsa", "ecdsa"]) {
        let certificate = std::fs::read_to_string(&key.certificate)?;
        let file = std::fs::read_to_string(stage.key_file(key)?)?;
        stage.write(&format!("both.pem.{kind}"), &(certificate + &file))?;
    }
    let [cert, key] = stage.neighbour()?;
    let pair = std::fs::read_to_string(cert)? + &std::fs::read_to_string(key)?;
    let (both, neighbour) = (stage.site.text("both.pem"), stage.write("neighbour.both", &pair)?);
    listen(READY, |port| {
        let config = format!(
            "global\n chroot /var/lib/haproxy\n user haproxy\n group haproxy\n {lines}\n\
             defaults\n mode http\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n\
             frontend tls\n bind 127.0.0.1:{port} ssl crt {both} crt {neighbour}\n \
             http-request return status 200 content-type text/plain string signed\n",
        );
        let file = stage.write("haproxy.cfg", &config)?;
        // It reads openssl.cnf after the PEM files, so the engine comes from the folder of engines
        // and its settings from the environment.
        let task = stage.root.task("haproxy").env("OPENSSL_ENGINES", modules::folder()?);
        let task = task
            .env("AKV_ENDPOINT", stage.site.vault().endpoint())
            .env("AKV_CA_FILE", stage.site.text("vault-ca.pem"))
            // It could not read a token file.
            .env("AKV_CREDENTIAL", "managed-identity")
            .env("IMDS_ENDPOINT", stage.site.vault().imds_endpoint());
        Ok(task.args(["-W", "-db", "-f", &file]))
    })
}

fn serves(lines: &str) -> Result<()> {
    let stage = Stage::open(Persona::Vault)?;
    let (server, address) = start(&stage, lines)?;
    for round in 1..=3 {
        for key in stage.keys() {
            stage.shake_hands(&address, key).with_context(|| server.output())?;
        }
        stage.connect_to_neighbour(&address).with_context(|| server.output())?;
        if round < 3 {
            server.signal(Signal::SIGUSR2)?;
            wait_until("a new worker has replaced the old one", LIMIT, || {
                let log = server.output();
                let (new, gone) =
                    (log.matches(READY).count(), log.matches("Former worker").count());
                (new > round && gone == round).then_some(())
            })
            .with_context(|| server.output())?;
        }
    }
    let log = server.output();
    assert!(!log.contains("[ALERT]"), "{log}");
    Ok(())
}

#[test]
fn serves_key_files_over_reloads() -> Result<()> {
    serves(THREADS)
}

#[test]
fn serves_key_files_with_ssl_mode_async() -> Result<()> {
    serves(&format!("{THREADS}\n ssl-mode-async"))
}

/// By default it forbids processes, and so threads, for itself.
#[test]
fn serves_key_files_without_threads() -> Result<()> {
    serves("ssl-engine e_akv")
}
