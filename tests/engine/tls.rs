//! TLS servers whose key the engine has.

use std::time::Duration;

use akv_emulator::{Curve, Persona};
use akv_tests::{
    Client, OpenSsl, Server, Site,
    engine::{KEY, certificate, is_1_1_1, openssl, plain},
    process::wait_until,
};
use anyhow::{Context as _, Result};

const LIMIT: Duration = Duration::from_secs(60);

/// A server that also takes what is long out of date.
fn serve(engine: &OpenSsl, cert: &str, key: &str) -> Result<(Server, String)> {
    let line = format!(
        "s_server -accept 127.0.0.1:0 -cert {cert} {KEY} -key {key} -cipher ALL:@SECLEVEL=0"
    );
    let task = engine.task(line.split_whitespace());
    Server::start(task, LIMIT, |line| line.strip_prefix("ACCEPT ").map(str::to_owned))
}

/// Waits until the server has printed this: it may do so after its client has gone.
fn says(server: &Server, text: &str) -> Result<()> {
    let printed = || server.output().contains(text).then_some(());
    wait_until(&format!("the server says {text}"), LIMIT, printed).with_context(|| server.output())
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

/// What a Managed HSM does not sign ends the handshake, and not the server.
#[test]
fn a_client_of_old_ends_no_server() -> Result<()> {
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
fn rsa_key_exchange_works_with_1_1_1() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let engine = openssl(&site)?;
    let key = site.rsa(2048)?;
    let cert = certificate(&site, &key, "tls-kx")?;
    let (server, address) = serve(&engine, &cert, &key)?;
    for protocol in ["-tls1_2", "-tls1"] {
        let arguments = format!("{protocol} -cipher AES128-SHA:@SECLEVEL=0");
        let client = Client { address: &address, ca: &cert, arguments: &arguments };
        let seen = client.connect(&plain(&site)?);
        if is_1_1_1()? {
            seen.with_context(|| server.output())?;
        } else {
            // OpenSSL 3 asks keys of engines for a padding that it refuses itself.
            seen.expect_err("OpenSSL 3 has no way to do this with a key of an engine");
            says(&server, "pkey_rsa_ctrl")?;
        }
    }
    connect(&site, &address, &cert, "-tls1_2")?;
    Ok(())
}

#[test]
fn a_client_proves_itself_with_a_key_of_the_vault() -> Result<()> {
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
