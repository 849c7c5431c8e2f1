//! TLS handshakes whose private key is in the vault, on the server and on the client side.

use std::time::Duration;

use akv_emulator::Curve;
use akv_tests::{Client, Installation, Server, Site};
use anyhow::{Context as _, Result};

const LIMIT: Duration = Duration::from_secs(60);

/// A certificate and its key file.
struct Identity {
    certificate: String,
    key: String,
}

fn identity(site: &Site, reference: &str, name: &str) -> Result<Identity> {
    identity_with(site, reference, name, "sha256")
}

/// The digest is that of the certificate's own signature.
fn identity_with(site: &Site, reference: &str, name: &str, digest: &str) -> Result<Identity> {
    let certificate = site.text(&format!("{name}.pem"));
    let key = site.key_file(reference, &format!("{name}.key"))?;
    site.openssl().ok(&format!(
        "req -x509 -new -key {key} -{digest} -days 2 -subj /CN=localhost \
         -addext subjectAltName=DNS:localhost -out {certificate}"
    ))?;
    Ok(Identity { certificate, key })
}

fn serve(site: &Site, identity: &Identity, options: &str) -> Result<(Server, String)> {
    let Identity { certificate, key } = identity;
    let line = format!("s_server -accept 127.0.0.1:0 -cert {certificate} -key {key} {options}");
    let task = site.openssl().task(line.split_whitespace());
    Server::start(task, LIMIT, |line| line.strip_prefix("ACCEPT ").map(str::to_owned))
}

/// Connects with each of the client's arguments and compares what signed.
fn check(
    site: &Site,
    identity: &Identity,
    options: &str,
    cases: &[(&str, [&str; 3])],
) -> Result<()> {
    let (server, address) = serve(site, identity, options)?;
    for (arguments, [protocol, signature, digest]) in cases {
        let client = Client { address: &address, ca: &identity.certificate, arguments };
        let seen = client.connect(&site.plain());
        let seen = seen.with_context(|| format!("the server said:\n{}", server.output()))?;
        let seen = [seen.protocol, seen.signature, seen.digest];
        assert_eq!(seen, [*protocol, *signature, *digest], "{arguments}");
    }
    Ok(())
}

#[test]
fn an_rsa_server_signs_pkcs1_and_pss() -> Result<()> {
    let site = Site::shared()?;
    let identity = identity(&site, &site.rsa(2048)?, "server-rsa")?;
    let before = site.vault().stats().sign;
    check(
        &site,
        &identity,
        "",
        &[
            ("-tls1_2 -sigalgs rsa_pkcs1_sha256", ["TLSv1.2", "RSA", "SHA256"]),
            ("-tls1_2 -sigalgs rsa_pkcs1_sha384", ["TLSv1.2", "RSA", "SHA384"]),
            ("-tls1_2 -sigalgs rsa_pkcs1_sha512", ["TLSv1.2", "RSA", "SHA512"]),
            ("-tls1_2 -sigalgs rsa_pss_rsae_sha256", ["TLSv1.2", "RSA-PSS", "SHA256"]),
            (
                "-tls1_3 -sigalgs rsa_pss_rsae_sha256:rsa_pkcs1_sha256",
                ["TLSv1.3", "RSA-PSS", "SHA256"],
            ),
            (
                "-tls1_3 -sigalgs rsa_pss_rsae_sha384:rsa_pkcs1_sha256",
                ["TLSv1.3", "RSA-PSS", "SHA384"],
            ),
            (
                "-tls1_3 -sigalgs rsa_pss_rsae_sha512:rsa_pkcs1_sha256",
                ["TLSv1.3", "RSA-PSS", "SHA512"],
            ),
        ],
    )?;
    assert!(site.vault().stats().sign >= before + 7);
    Ok(())
}

#[test]
fn an_ec_server_signs_on_each_curve() -> Result<()> {
    let site = Site::shared()?;
    for (curve, name, algorithm, digest) in [
        (Curve::P256, "server-p256", "ecdsa_secp256r1_sha256", "SHA256"),
        (Curve::P384, "server-p384", "ecdsa_secp384r1_sha384", "SHA384"),
        (Curve::P521, "server-p521", "ecdsa_secp521r1_sha512", "SHA512"),
    ] {
        let identity = identity_with(&site, &site.ec(curve)?, name, &digest.to_ascii_lowercase())?;
        let tls13 = format!("-tls1_3 -sigalgs {algorithm}");
        let tls12 = format!("-tls1_2 -sigalgs ECDSA+{digest}");
        check(
            &site,
            &identity,
            "",
            &[(&tls13, ["TLSv1.3", "ECDSA", digest]), (&tls12, ["TLSv1.2", "ECDSA", digest])],
        )?;
    }
    Ok(())
}

#[test]
fn tls_1_2_may_ask_any_digest_of_any_curve() -> Result<()> {
    let site = Site::shared()?;
    let p256 = identity(&site, &site.ec(Curve::P256)?, "server-digests")?;
    check(
        &site,
        &p256,
        "",
        &[
            ("-tls1_2 -sigalgs ECDSA+SHA384:ECDSA+SHA256", ["TLSv1.2", "ECDSA", "SHA384"]),
            ("-tls1_2 -sigalgs ECDSA+SHA512:ECDSA+SHA256", ["TLSv1.2", "ECDSA", "SHA512"]),
        ],
    )
}

#[test]
fn tls_1_2_with_secp256k1_as_far_as_openssl_has_it() -> Result<()> {
    let site = Site::shared()?;
    let groups = "-groups P-256:secp256k1";
    let plain = site.plain().fails(&format!("s_client -connect 127.0.0.1:0 {groups}"))?;
    if plain.stderr.contains("SSL_CONF_cmd(-groups") {
        let version = Installation::selected().version()?;
        assert!(version.starts_with("4."), "{version} lacks the group: {}", plain.describe());
        return Ok(());
    }
    let p256k = identity(&site, &site.ec(Curve::P256K)?, "server-p256k")?;
    let client = format!("-tls1_2 {groups} -sigalgs ECDSA+SHA256");
    check(&site, &p256k, groups, &[(&client, ["TLSv1.2", "ECDSA", "SHA256"])])
}

#[test]
fn a_client_proves_itself_with_a_key_of_the_vault() -> Result<()> {
    let site = Site::shared()?;
    let server = identity(&site, &site.rsa(2048)?, "mutual-server")?;
    for (reference, name) in [(site.rsa(3072)?, "client-rsa"), (site.ec(Curve::P384)?, "client-ec")]
    {
        let client = identity(&site, &reference, name)?;
        for protocol in ["-tls1_2", "-tls1_3"] {
            let options =
                format!("-Verify 1 -verify_return_error -CAfile {} -naccept 1", client.certificate);
            let (running, address) = serve(&site, &server, &options)?;
            let before = site.vault().stats().sign;
            let arguments = format!("{protocol} -cert {} -key {}", client.certificate, client.key);
            let handshake =
                Client { address: &address, ca: &server.certificate, arguments: &arguments };
            handshake.connect(&site.openssl())?;
            let said = running.finish(LIMIT)?;
            assert!(said.contains("Client certificate"), "{said}");
            assert!(!said.contains("verify error"), "{said}");
            assert!(site.vault().stats().sign >= before + 2, "both sides signed in the vault");
        }
    }
    Ok(())
}

#[test]
fn a_handshake_fails_cleanly_when_the_vault_refuses() -> Result<()> {
    use akv_emulator::{Fault, FaultKind, Operation, Persona};
    let site = Site::start(Persona::Vault)?;
    let identity = identity(&site, &site.ec(Curve::P256)?, "refused")?;
    let (_server, address) = serve(&site, &identity, "")?;
    site.vault().fault(Fault::new(FaultKind::Forbidden).on(Operation::Sign));
    let client = Client { address: &address, ca: &identity.certificate, arguments: "" };
    let error = client.connect(&site.plain()).expect_err("no signature, no handshake");
    assert!(format!("{error}").contains("alert"), "{error}");
    // The same server goes on as soon as it may sign again.
    client.connect(&site.plain())?;
    Ok(())
}
