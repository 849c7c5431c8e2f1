//! TLS servers with a key of the engine.

use std::time::Duration;

use akv_emulator::{Curve, Fault, FaultKind, Operation, Persona};
use akv_tests::{
    Client, Handshake, OpenSsl, Server, Site,
    engine::{KEY, certificate, configure, is_1_1_1, openssl, plain, public_key},
    process::wait_until,
};
use anyhow::{Context as _, Result};

const LIMIT: Duration = Duration::from_secs(60);

/// A server that also accepts obsolete protocols.
fn serve(engine: &OpenSsl, cert: &str, key: &str) -> Result<(Server, String)> {
    let line = format!(
        "s_server -accept 127.0.0.1:0 -cert {cert} {KEY} -key {key} -cipher ALL:@SECLEVEL=0"
    );
    let task = engine.task(line.split_whitespace());
    Server::start(task, LIMIT, |line| line.strip_prefix("ACCEPT ").map(str::to_owned))
}

/// Waits until the server has printed this, which may be after its client has disconnected.
fn says(server: &Server, text: &str) -> Result<()> {
    let printed = || server.output().contains(text).then_some(());
    wait_until(&format!("the server prints {text}"), LIMIT, printed)
        .with_context(|| server.output())
}

fn connect(site: &Site, address: &str, ca: &str, arguments: &str) -> Result<[String; 3]> {
    let arguments = format!("{arguments} -cipher ALL:@SECLEVEL=0");
    let client = Client { address, ca, arguments: &arguments };
    let seen = client.connect(&plain(site)?)?;
    Ok([seen.protocol, seen.signature, seen.digest])
}

#[test]
fn servers_sign_with_every_protocol() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let engine = openssl(&site)?;
    for (key, name, cases) in [
        (
            site.rsa(2048)?,
            "tls-rsa",
            &[
                ("-tls1_3", ["TLSv1.3", "RSA-PSS", "SHA256"]),
                ("-tls1_2 -sigalgs RSA-PSS+SHA512", ["TLSv1.2", "RSA-PSS", "SHA512"]),
                ("-tls1_2 -sigalgs RSA+SHA384", ["TLSv1.2", "RSA", "SHA384"]),
                ("-tls1_2 -sigalgs RSA+SHA1", ["TLSv1.2", "RSA", "SHA1"]),
                ("-tls1_1", ["TLSv1.1", "RSA", "MD5-SHA1"]),
                ("-tls1", ["TLSv1", "RSA", "MD5-SHA1"]),
            ][..],
        ),
        (
            site.ec(Curve::P256)?,
            "tls-ec",
            &[
                ("-tls1_3", ["TLSv1.3", "ECDSA", "SHA256"]),
                ("-tls1_2 -sigalgs ECDSA+SHA512", ["TLSv1.2", "ECDSA", "SHA512"]),
                ("-tls1_2 -sigalgs ECDSA+SHA1", ["TLSv1.2", "ECDSA", "SHA1"]),
                ("-tls1", ["TLSv1", "ECDSA", "SHA1"]),
            ],
        ),
    ] {
        let cert = certificate(&site, &key, name)?;
        let (server, address) = serve(&engine, &cert, &key)?;
        for (arguments, expected) in cases {
            let seen = connect(&site, &address, &cert, arguments);
            let seen = seen.with_context(|| format!("the server said:\n{}", server.output()))?;
            assert_eq!(seen, expected.map(str::to_owned), "{arguments}");
        }
    }
    Ok(())
}

/// If a Managed HSM does not sign a digest, the handshake fails, and the server continues.
#[test]
fn tls_1_0_and_sha_1_clients_of_a_managed_hsm_do_not_stop_the_server() -> Result<()> {
    let site = Site::start(Persona::ManagedHsm)?;
    let engine = openssl(&site)?;
    let key = site.rsa(2048)?;
    let cert = certificate(&site, &key, "tls-hsm")?;
    let (server, address) = serve(&engine, &cert, &key)?;
    for arguments in ["-tls1", "-tls1_1", "-tls1_2 -sigalgs RSA+SHA1"] {
        connect(&site, &address, &cert, arguments).expect_err("a Managed HSM does not sign that");
        connect(&site, &address, &cert, "-tls1_2")?;
    }
    connect(&site, &address, &cert, "-tls1_3")?;
    says(&server, "Managed HSM signs SHA-256")
}

#[test]
fn rsa_key_exchange_works_with_1_1_1_if_the_setting_allows_it() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.rsa(2048)?;
    let cert = certificate(&site, &key, "tls-kx")?;
    let lines = "RSA_KEY_EXCHANGE = yes\ndefault_algorithms = ALL\n";
    let engine = OpenSsl::new(configure(&site, "exchange.cnf", lines)?, site.folder());
    let (server, address) = serve(&engine, &cert, &key)?;
    for protocol in ["-tls1_2", "-tls1"] {
        let seen = exchange(&site, &address, &cert, protocol);
        if is_1_1_1()? {
            seen.with_context(|| server.output())?;
        } else {
            // OpenSSL 3 requests a padding of engine keys that it refuses itself.
            seen.expect_err("OpenSSL 3 has no way to do this with a key of an engine");
            says(&server, "pkey_rsa_ctrl")?;
        }
    }
    connect(&site, &address, &cert, "-tls1_2")?;
    Ok(())
}

/// Connects with RSA key exchange.
fn exchange(site: &Site, address: &str, ca: &str, protocol: &str) -> Result<Handshake> {
    let arguments = format!("{protocol} -cipher AES128-SHA:@SECLEVEL=0");
    Client { address, ca, arguments: &arguments }.connect(&plain(site)?)
}

#[test]
fn rsa_key_exchange_is_off_by_default() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let (engine, key) = (openssl(&site)?, site.rsa(2048)?);
    let cert = certificate(&site, &key, "tls-no-kx")?;
    let (server, address) = serve(&engine, &cert, &key)?;
    site.vault().reset_stats();
    exchange(&site, &address, &cert, "-tls1_2").expect_err("the default is no");
    if is_1_1_1()? {
        says(&server, "rsa-key-exchange")?;
    }
    assert_eq!(site.vault().stats().operation(Operation::Decrypt), 0);
    connect(&site, &address, &cert, "-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256")?;

    // The operation that libssl requests, without libssl.
    let (data, cipher) = (site.text("secret.bin"), site.text("secret.enc"));
    std::fs::write(&data, [3; 48])?;
    let public = public_key(&site, &key)?;
    plain(&site)?
        .ok(&format!("pkeyutl -encrypt -pubin -inkey {public} -in {data} -out {cipher}"))?;
    site.vault().reset_stats();
    let decrypt =
        format!("pkeyutl -decrypt {KEY} -inkey {key} -in {cipher} -pkeyopt rsa_padding_mode");
    let failed = engine.fails(&format!("{decrypt}:none"))?;
    assert!(failed.stderr.contains("rsa-key-exchange"), "{}", failed.describe());
    assert_eq!(site.vault().stats().operation(Operation::Decrypt), 0);
    assert_eq!(engine.ok(&format!("{decrypt}:pkcs1"))?.stdout, [3; 48]);
    Ok(())
}

#[test]
fn client_certificates_have_their_key_in_the_vault() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let engine = openssl(&site)?;
    let key = site.rsa(2048)?;
    let cert = certificate(&site, &key, "mutual-server")?;
    for (client, name) in [(site.rsa(3072)?, "client-rsa"), (site.ec(Curve::P384)?, "client-ec")] {
        let client_cert = certificate(&site, &client, name)?;
        for protocol in ["-tls1_2", "-tls1_3"] {
            let line = format!(
                "s_server -accept 127.0.0.1:0 -cert {cert} {KEY} -key {key} -naccept 1 \
                 -Verify 1 -verify_return_error -CAfile {client_cert}"
            );
            let task = engine.task(line.split_whitespace());
            let (server, address) =
                Server::start(task, LIMIT, |line| line.strip_prefix("ACCEPT ").map(str::to_owned))?;
            let arguments = format!("{protocol} -cert {client_cert} {KEY} -key {client}");
            let handshake = Client { address: &address, ca: &cert, arguments: &arguments };
            handshake.connect(&engine)?;
            let said = server.finish(LIMIT)?;
            assert!(!said.contains("verify error"), "{said}");
        }
    }
    Ok(())
}

#[test]
fn outage_delays_a_server_three_times_only() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let cert = certificate(&site, &key, "tls-outage")?;
    let lines = "TIMEOUT = 1s\ndefault_algorithms = ALL\n";
    let engine = OpenSsl::new(configure(&site, "outage.cnf", lines)?, site.folder());
    let (server, address) = serve(&engine, &cert, &key)?;
    let plain = plain(&site)?;
    let handshake =
        || Client { address: &address, ca: &cert, arguments: "-tls1_2" }.connect(&plain);
    handshake()?;
    site.vault().fault(Fault::new(FaultKind::Hang).on(Operation::Sign).forever());
    site.vault().reset_stats();
    for _ in 0..3 {
        handshake().expect_err("the vault does not respond");
    }
    assert_eq!(site.vault().stats().requests, 3);
    handshake().expect_err("the vault does not respond");
    says(&server, "fail-fast")?;
    site.vault().clear_faults();
    wait_until("the server serves again", LIMIT, || handshake().ok())?;
    Ok(())
}
