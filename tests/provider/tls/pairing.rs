//! Matching and mismatched certificates and keys.

use akv_emulator::{Curve, NewKey, Persona};
use akv_tests::Server;
use anyhow::Result;

use crate::scene::{Identity, LIMIT, Scene};

#[test]
fn a_server_does_not_start_with_the_key_of_another_certificate() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let site = scene.site();
    let rsa = scene.identity(&site.rsa(2048)?, "pair-rsa")?;
    let ec = scene.identity(&site.ec(Curve::P256)?, "pair-ec")?;
    site.vault().create_key(NewKey::ec("twin", Curve::P256))?;
    let twin = site.reference("twin");
    for (certificate, key) in [
        (&rsa.certificate, site.rsa(3072)?),
        (&rsa.certificate, site.key_file(&site.rsa(3072)?, "pair-other.key")?),
        (&ec.certificate, site.ec(Curve::P384)?),
        (&ec.certificate, site.rsa(2048)?),
        (&rsa.certificate, site.ec(Curve::P256)?),
        // Same kind, same curve: only the numbers differ.
        (&ec.certificate, twin),
    ] {
        let failed = site
            .openssl()
            .fails(&format!("s_server -accept 127.0.0.1:0 -cert {certificate} -key {key}"))?;
        // "key values mismatch" of libssl, or "does not match" of the program.
        let said = failed.stderr.contains("match");
        assert!(said && !failed.text().contains("ACCEPT"), "{}", failed.describe());
    }
    Ok(())
}

#[test]
fn one_server_has_a_certificate_of_each_kind() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let site = scene.site();
    let rsa = scene.identity(&site.rsa(2048)?, "both-rsa")?;
    let ec = scene.identity(&site.ec(Curve::P384)?, "both-ec")?;
    for (first, second) in [(&rsa, &ec), (&ec, &rsa)] {
        let Identity { certificate, key } = second;
        let both = format!("-dcert {certificate} -dkey {key}");
        scene.check(
            first,
            &both,
            &[
                ("-tls1_3 -sigalgs rsa_pss_rsae_sha256", ["TLSv1.3", "RSA-PSS", "SHA256"]),
                ("-tls1_3 -sigalgs ecdsa_secp384r1_sha384", ["TLSv1.3", "ECDSA", "SHA384"]),
                ("-tls1_2 -sigalgs rsa_pkcs1_sha256", ["TLSv1.2", "RSA", "SHA256"]),
                (
                    "-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256 -sigalgs ECDSA+SHA384",
                    ["TLSv1.2", "ECDSA", "SHA384"],
                ),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn a_server_accepts_references_and_key_files() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let site = scene.site();
    let reference = site.ec(Curve::P256)?;
    let identity = scene.identity(&reference, "by-reference")?;
    for key in [reference.clone(), format!("engine:e_akv:{reference}")] {
        let named = Identity { key, ..identity.clone() };
        scene.check(&named, "", &[("-tls1_3", ["TLSv1.3", "ECDSA", "SHA256"])])?;
    }
    // The server name selects the certificate.
    let rsa = scene.identity(&site.rsa(2048)?, "by-name")?;
    let line = format!(
        "s_server -accept 127.0.0.1:0 -cert {} -key {} -servername localhost -cert2 {} -key2 {}",
        identity.certificate, identity.key, rsa.certificate, rsa.key
    );
    let task = site.openssl().task(line.split_whitespace());
    let (_server, address) =
        Server::start(task, LIMIT, |line| line.strip_prefix("ACCEPT ").map(str::to_owned))?;
    let seen = scene.connect(&address, "-tls1_3")?;
    assert_eq!(seen.signature, "RSA-PSS", "the second certificate, for this name");
    Ok(())
}
