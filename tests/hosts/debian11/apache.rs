//! Apache, which accepts only an engine with the id `pkcs11`.

use akv_emulator::Persona;
use akv_tests::{Server, modules, process::wait_until};
use anyhow::{Context as _, Result};
use nix::sys::signal::Signal;

use crate::stage::{LIMIT, Stage, listen};

const READY: &str = "resuming normal operations";

/// Loads the engine under the id that Apache requests.
fn configuration(stage: &Stage) -> Result<String> {
    let text = stage.site.read("hosts.cnf")?;
    let module = modules::engine()?;
    let own = format!("engine_id = e_akv\ndynamic_path = {}\n", module.display());
    assert!(text.contains(&own), "{text}");
    let dynamic = format!(
        "engine_id = dynamic\nSO_PATH = {}\nID = pkcs11\nLIST_ADD = 1\nLOAD = EMPTY\n",
        module.display()
    );
    stage.write("pkcs11.cnf", &text.replace(&own, &dynamic))
}

fn start(stage: &Stage, mpm: &str, lines: &str) -> Result<(Server, String)> {
    let folder = "/usr/lib/apache2/modules";
    let [cert, key] = stage.neighbour()?;
    let mut pairs = String::new();
    for key in stage.keys() {
        pairs.push_str(&format!(
            "SSLCertificateFile {}\nSSLCertificateKeyFile pkcs11:{}\n",
            key.certificate, key.reference
        ));
    }
    let openssl_config = configuration(stage)?;
    listen(READY, |port| {
        let config = format!(
            "LoadModule mpm_{mpm}_module {folder}/mod_mpm_{mpm}.so\n\
             LoadModule ssl_module {folder}/mod_ssl.so\n\
             ServerName localhost\nUser www-data\nGroup www-data\n\
             PidFile {pid}\nErrorLog /dev/stderr\nMutex fcntl:{locks}\n\
             StartServers 2\nListen 127.0.0.1:{port}\n{lines}\n\
             <VirtualHost 127.0.0.1:{port}>\nServerName localhost\nSSLEngine on\n{pairs}\
             </VirtualHost>\n\
             <VirtualHost 127.0.0.1:{port}>\nServerName neighbour\nSSLEngine on\n\
             SSLCertificateFile {cert}\nSSLCertificateKeyFile {key}\n</VirtualHost>\n",
            pid = stage.site.text("apache.pid"),
            locks = stage.site.folder().display(),
        );
        let file = stage.write("apache.conf", &config)?;
        let task = stage.root.task("apache2").env("OPENSSL_CONF", &openssl_config);
        Ok(task.args(["-DFOREGROUND", "-f", &file]))
    })
}

/// Both keys, TLS 1.2 and 1.3, and a site with an ordinary key file, over graceful restarts.
fn serves(mpm: &str, lines: &str) -> Result<()> {
    let stage = Stage::open(Persona::ManagedHsm)?;
    let (server, address) = start(&stage, mpm, lines)?;
    for round in 1..=3 {
        for key in stage.keys() {
            stage.shake_hands(&address, key).with_context(|| server.output())?;
        }
        stage.connect_to_neighbour(&address).with_context(|| server.output())?;
        if round < 3 {
            server.signal(Signal::SIGUSR1)?;
            wait_until("Apache has restarted", LIMIT, || {
                (server.output().matches(READY).count() > round).then_some(())
            })?;
        }
    }
    let log = server.output();
    assert!(!log.contains("exit signal") && !log.contains(":error]"), "{log}");
    Ok(())
}

#[test]
fn serves_pkcs11_key_strings_with_mpm_event() -> Result<()> {
    serves("event", "")
}

#[test]
fn serves_pkcs11_key_strings_with_mpm_prefork() -> Result<()> {
    serves("prefork", "")
}

#[test]
fn serves_with_the_engine_as_crypto_device() -> Result<()> {
    serves("event", "SSLCryptoDevice pkcs11")
}
