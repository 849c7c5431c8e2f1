//! nginx with keys that are in the vault: the master loads them, unprivileged workers sign.

use akv_emulator::{Curve, Persona};
use akv_tests::{Client, Nginx, Site, nginx::Setup};
use anyhow::Result;

/// Arguments of the client, and the expected name of the signature.
const CASES: [(&str, &str); 4] = [
    ("-tls1_2 -sigalgs rsa_pkcs1_sha256", "RSA"),
    ("-tls1_3 -sigalgs rsa_pss_rsae_sha256", "RSA-PSS"),
    ("-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256", "ECDSA"),
    ("-tls1_3 -sigalgs ecdsa_secp256r1_sha256", "ECDSA"),
];

struct Stage {
    site: Site,
    setup: Setup,
    trusted: String,
}

/// A vault with an RSA and an EC key, and a certificate for each. The vault's keys are named by
/// `name_key`.
fn stage(name_key: impl Fn(&Site, &str) -> Result<String>) -> Result<Stage> {
    let site = Site::start(Persona::Vault)?;
    let mut setup = Setup { openssl_config: site.path("openssl.cnf"), ..Setup::default() };
    let mut trusted = String::new();
    for reference in [site.rsa(2048)?, site.ec(Curve::P256)?] {
        let name = reference.replace(':', "-");
        let certificate = site.text(&format!("{name}.pem"));
        site.openssl().ok(&format!(
            "req -x509 -new -key {reference} -sha256 -days 2 -subj /CN=localhost \
             -addext subjectAltName=DNS:localhost -out {certificate}"
        ))?;
        trusted.push_str(&site.read(&format!("{name}.pem"))?);
        setup.certificates.push((certificate, name_key(&site, &reference)?));
    }
    std::fs::write(site.path("trusted.pem"), trusted)?;
    let trusted = site.text("trusted.pem");
    Ok(Stage { site, setup, trusted })
}

fn key_file(site: &Site, reference: &str) -> Result<String> {
    site.key_file(reference, &format!("{}.key", reference.replace(':', "-")))
}

impl Stage {
    fn handshakes(&self, nginx: &Nginx, rounds: usize) -> Result<()> {
        let address = nginx.address();
        for _ in 0..rounds {
            for (arguments, signature) in CASES {
                let client = Client { address: &address, ca: &self.trusted, arguments };
                assert_eq!(client.connect(&self.site.plain())?.signature, signature);
            }
        }
        Ok(())
    }
}

/// Users of Microsoft's provider may have such a configuration: the ephemeral keys of the key
/// exchange are then requested from us, and are in no vault.
#[test]
fn key_exchange_works_when_our_provider_is_preferred() -> Result<()> {
    let mut stage = stage(key_file)?;
    stage.setup.openssl_config = stage.site.preferring()?.config().to_owned();
    stage.site.vault().reset_stats();
    let nginx = Nginx::start(&stage.setup)?;
    let address = nginx.address();
    for (arguments, signature) in CASES {
        let arguments = format!("{arguments} -groups P-256");
        let client = Client { address: &address, ca: &stage.trusted, arguments: &arguments };
        assert_eq!(client.connect(&stage.site.plain())?.signature, signature);
    }
    nginx.stop()?;
    assert_eq!(stage.site.vault().stats().sign, 4);
    Ok(())
}

#[test]
fn workers_sign_and_the_log_stays_clean_over_reload_and_stop() -> Result<()> {
    let stage = stage(key_file)?;
    stage.site.vault().reset_stats();
    let nginx = Nginx::start(&stage.setup)?;
    assert_eq!(stage.site.vault().stats().connections, 0, "loading key files sends no request");
    stage.handshakes(&nginx, 8)?;
    assert_eq!(stage.site.vault().stats().sign, 32);
    for _ in 0..2 {
        nginx.reload()?;
        stage.handshakes(&nginx, 4)?;
    }
    let stats = stage.site.vault().stats();
    assert_eq!((stats.sign, stats.get_key), (64, 0), "{stats:?}");
    // Two workers, replaced twice.
    assert!(stats.connections <= 6, "{stats:?}");
    nginx.stop()
}

#[test]
fn runs_in_the_background_as_packages_start_it() -> Result<()> {
    let mut stage = stage(key_file)?;
    stage.setup.daemon = true;
    let nginx = Nginx::start(&stage.setup)?;
    stage.handshakes(&nginx, 2)?;
    nginx.reload()?;
    stage.handshakes(&nginx, 2)?;
    nginx.stop()
}

#[test]
fn rotation_in_the_vault_does_not_break_a_running_server() -> Result<()> {
    let stage = stage(key_file)?;
    let nginx = Nginx::start(&stage.setup)?;
    stage.handshakes(&nginx, 1)?;
    for key in ["rsa-2048", "ec-p-256"] {
        stage.site.vault().rotate_key(key)?;
    }
    stage.handshakes(&nginx, 1)?;
    nginx.reload()?;
    stage.handshakes(&nginx, 1)?;
    nginx.stop()
}

#[test]
fn a_key_in_a_file_works_beside_a_vault_key() -> Result<()> {
    let mut stage = stage(key_file)?;
    let site = &stage.site;
    let (key, certificate) = (site.text("plain-ec.key"), site.text("plain-ec.pem"));
    site.plain()
        .ok(&format!("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {key}"))?;
    site.plain().ok(&format!(
        "req -x509 -new -key {key} -subj /CN=plain \
         -addext subjectAltName=DNS:localhost -out {certificate}"
    ))?;
    let both = site.read("trusted.pem")? + &site.read("plain-ec.pem")?;
    std::fs::write(site.path("trusted.pem"), both)?;
    stage.setup.certificates[1] = (certificate, key);
    let nginx = Nginx::start(&stage.setup)?;
    stage.site.vault().reset_stats();
    stage.handshakes(&nginx, 2)?;
    assert_eq!(stage.site.vault().stats().sign, 4, "only the RSA key is in the vault");
    nginx.stop()
}

#[test]
fn an_expired_token_is_replaced_from_the_file() -> Result<()> {
    let stage = stage(key_file)?;
    let nginx = Nginx::start(&stage.setup)?;
    stage.handshakes(&nginx, 1)?;
    stage.site.vault().revoke_tokens();
    stage.site.renew_token()?;
    stage.handshakes(&nginx, 1)?;
    nginx.stop()
}

#[test]
fn serves_many_clients_at_once() -> Result<()> {
    let stage = stage(key_file)?;
    let nginx = Nginx::start(&stage.setup)?;
    stage.site.vault().reset_stats();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(|| stage.handshakes(&nginx, 5))).collect();
        clients.into_iter().try_for_each(|client| match client.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    let stats = stage.site.vault().stats();
    assert_eq!(stats.sign, 80, "{stats:?}");
    assert!(stats.connections <= 4, "{stats:?}");
    nginx.stop()
}
