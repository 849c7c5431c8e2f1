//! nginx 1.18: `ssl_certificate_key engine:…`.

use std::path::PathBuf;

use akv_emulator::{Emulator, NewKey, Persona};
use akv_tests::{Client, Nginx, Site, engine::KEY, modules, namespace::HTTPS, nginx::Setup};
use anyhow::{Context as _, Result};

use crate::stage::{Stage, VaultKey};

fn setup(stage: &Stage) -> Setup {
    let key = |key: &VaultKey| (key.certificate.clone(), format!("engine:e_akv:{}", key.reference));
    Setup {
        certificates: stage.keys().map(key).to_vec(),
        openssl_config: stage.config.clone(),
        root: Some(stage.root.clone()),
        ..Setup::default()
    }
}

/// Both keys, TLS 1.2 and 1.3, and a site with an ordinary key file beside them, over reloads.
fn serves(persona: Persona, daemon: bool) -> Result<()> {
    let stage = Stage::open(persona)?;
    let [cert, key] = stage.neighbour()?;
    let neighbour = Some(["neighbour".to_owned(), cert, key]);
    let setup = Setup { neighbour, daemon, ..setup(&stage) };
    stage.site.vault().reset_stats();
    let nginx = Nginx::start(&setup)?;
    let rounds = 4;
    for round in 1..=rounds {
        for _ in 0..5 {
            for key in stage.keys() {
                stage.shake_hands(&nginx.address(), key).with_context(|| nginx.error_log())?;
            }
        }
        stage.connect_to_neighbour(&nginx.address())?;
        if round < rounds {
            nginx.reload()?;
        }
    }
    let stats = stage.site.vault().stats();
    assert_eq!(stats.sign, rounds * 5 * 4, "{stats:?}");
    // `nginx -s reload` loads the keys too, before the master does.
    assert_eq!(stats.get_key, 2 * (2 * rounds - 1), "{stats:?}");
    // One connection for every process that sent requests: those that load keys, and two workers
    // each round.
    assert!(stats.connections <= 2 * rounds + 2 * rounds, "{stats:?}");
    nginx.stop()
}

#[test]
fn serves_keys_of_a_vault_beside_a_key_file_over_reloads() -> Result<()> {
    serves(Persona::Vault, false)
}

#[test]
fn serves_keys_of_a_managed_hsm_beside_a_key_file_over_reloads() -> Result<()> {
    serves(Persona::ManagedHsm, false)
}

#[test]
fn serves_in_the_background_as_packages_start_it() -> Result<()> {
    serves(Persona::Vault, true)
}

/// Without an endpoint, `managedHsm:myHsm:…` is `myHsm.managedhsm.azure.net`, which is this machine
/// where these tests run.
#[test]
fn serves_keys_under_the_services_own_host_name() -> Result<()> {
    let host = "myhsm.managedhsm.azure.net";
    let builder = Emulator::builder().persona(Persona::ManagedHsm).listen(HTTPS);
    let stage = Stage::with(Site::with(builder, Persona::ManagedHsm, &modules::provider()?)?)?;
    stage.site.vault().create_key(NewKey::rsa("myKey", 2048).hsm(true).vault_host(host))?;
    let lines = stage.site.read("hosts.cnf")?;
    let lines = lines.lines().filter(|line| !line.starts_with("ENDPOINT"));
    let config = lines.map(|line| format!("{line}\n")).collect::<String>();
    let config = PathBuf::from(stage.write("no-endpoint.cnf", &config)?);
    let (name, cert) = ("managedHsm:myHsm:myKey", stage.site.text("own-name.pem"));
    let line = format!("req -new -x509 {KEY} -key {name} -subj /CN=localhost -out {cert}");
    let openssl = stage.root.task("openssl").env("OPENSSL_CONF", &config);
    openssl.args(line.split_whitespace()).ok()?;
    let nginx = Nginx::start(&Setup {
        certificates: vec![(cert.clone(), format!("engine:e_akv:{name}"))],
        openssl_config: config,
        ..setup(&stage)
    })?;
    for _ in 0..2 {
        for (arguments, expected) in stage.rsa.handshakes {
            let client = Client { address: &nginx.address(), ca: &cert, arguments };
            let seen = client.connect(&stage.client).with_context(|| nginx.error_log())?;
            assert_eq!([seen.protocol, seen.signature, seen.digest], expected, "{arguments}");
        }
        nginx.reload()?;
    }
    nginx.stop()
}

#[test]
fn refuses_a_missing_key_with_the_reason() -> Result<()> {
    let stage = Stage::open(Persona::ManagedHsm)?;
    let key = "engine:e_akv:managedHsm:testvault:missing".to_owned();
    let certificates = vec![(stage.rsa.certificate.clone(), key)];
    let setup = Setup { certificates, ..setup(&stage) };
    let text = format!("{:#}", Nginx::start(&setup).expect_err("there is no such key"));
    assert!(text.contains("ENGINE_load_private_key"), "{text}");
    assert!(text.contains("e_akv") && text.contains("HTTP 404"), "{text}");
    Ok(())
}

const OLD: &str = "-tls1 -cipher ALL:@SECLEVEL=0";

fn old_protocols(persona: Persona) -> Result<(Stage, Nginx)> {
    let stage = Stage::open(persona)?;
    let nginx = Nginx::start(&Setup {
        protocols: Some("TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"),
        server_lines: "ssl_ciphers ALL:@SECLEVEL=0;".into(),
        ..setup(&stage)
    })?;
    Ok((stage, nginx))
}

/// A vault signs every digest of TLS 1.0.
#[test]
fn serves_tls_1_0_clients_with_keys_of_a_vault() -> Result<()> {
    let (stage, nginx) = old_protocols(Persona::Vault)?;
    let (address, workers) = (nginx.address(), nginx.workers());
    for (key, suite, digest) in [
        (&stage.rsa, "ECDHE-RSA-AES128-SHA", "MD5-SHA1"),
        (&stage.ec, "ECDHE-ECDSA-AES128-SHA", "SHA1"),
    ] {
        for protocol in ["-tls1", "-tls1_1"] {
            let arguments = format!("{protocol} -cipher {suite}:@SECLEVEL=0");
            let client = Client { address: &address, ca: &key.certificate, arguments: &arguments };
            let seen = client.connect(&stage.client).with_context(|| nginx.error_log())?;
            assert_eq!(seen.digest, digest, "{arguments}");
        }
    }
    assert_eq!(nginx.workers(), workers, "the workers are the same");
    nginx.stop()
}

/// A Managed HSM signs neither SHA-1 nor MD5 with SHA-1 for RSA: the handshake fails, without
/// further effects.
#[test]
fn survives_tls_1_0_clients_with_keys_of_a_managed_hsm() -> Result<()> {
    let (stage, nginx) = old_protocols(Persona::ManagedHsm)?;
    let (address, workers) = (nginx.address(), nginx.workers());
    let ca = &stage.rsa.certificate;
    for arguments in [
        OLD.replace("ALL", "ECDHE-RSA-AES128-SHA"),
        OLD.replace("ALL", "ECDHE-RSA-AES128-SHA").replace("-tls1", "-tls1_1"),
        "-tls1_2 -sigalgs RSA+SHA1 -cipher ALL:@SECLEVEL=0".to_owned(),
    ] {
        let client = Client { address: &address, ca, arguments: &arguments };
        let error = client.connect(&stage.client).expect_err("a Managed HSM does not sign that");
        assert!(format!("{error:#}").contains("alert"), "{error:#}");
        stage.shake_hands(&address, &stage.rsa)?;
    }
    stage.shake_hands(&address, &stage.ec)?;
    assert_eq!(nginx.workers(), workers, "the workers are the same");
    let complaints = nginx.complaints();
    assert_eq!(complaints.len(), 3, "{complaints:?}");
    for complaint in complaints {
        assert!(complaint.contains("SSL_do_handshake() failed"), "{complaint}");
        assert!(complaint.contains("Managed HSM signs SHA-256"), "{complaint}");
    }
    Ok(())
}
