//! The system's nginx, which names keys of an engine in `ssl_certificate_key`.

use akv_emulator::{Curve, Persona};
use akv_tests::{
    Client, Nginx, Site,
    engine::{certificate, configure, openssl, plain},
    nginx::Setup,
};
use anyhow::{Context as _, Result};

/// A certificate for `neighbour` with a normal key file.
fn ordinary(site: &Site) -> Result<[String; 2]> {
    let (key, cert) = (site.text("ordinary.key"), site.text("ordinary.pem"));
    let plain = plain(site)?;
    plain.ok(&format!("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out {key}"))?;
    plain.ok(&format!("req -new -x509 -key {key} -subj /CN=neighbour -out {cert}"))?;
    Ok([cert, key])
}

#[test]
fn serves_keys_in_the_vault_beside_a_key_in_a_file() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let (rsa, ec) = (site.rsa(2048)?, site.ec(Curve::P256)?);
    let certs = [certificate(&site, &rsa, "nginx-rsa")?, certificate(&site, &ec, "nginx-ec")?];
    let [ordinary_cert, ordinary_key] = ordinary(&site)?;
    let nginx = Nginx::start(&Setup {
        certificates: certs
            .iter()
            .zip([&rsa, &ec])
            .map(|(cert, key)| (cert.clone(), format!("engine:e_akv:{key}")))
            .collect(),
        openssl_config: openssl(&site)?.config().to_owned(),
        neighbour: Some(["neighbour".into(), ordinary_cert.clone(), ordinary_key]),
        ..Setup::default()
    })?;
    let (address, client) = (nginx.address(), plain(&site)?);
    for round in 0..3 {
        let before = site.vault().stats().sign;
        for (cert, arguments, expected) in [
            (&certs[0], "-tls1_3 -sigalgs rsa_pss_rsae_sha256", ["TLSv1.3", "RSA-PSS", "SHA256"]),
            (&certs[0], "-tls1_2 -sigalgs RSA+SHA256", ["TLSv1.2", "RSA", "SHA256"]),
            (&certs[1], "-tls1_3 -sigalgs ecdsa_secp256r1_sha256", ["TLSv1.3", "ECDSA", "SHA256"]),
            (&certs[1], "-tls1_2 -sigalgs ECDSA+SHA384", ["TLSv1.2", "ECDSA", "SHA384"]),
        ] {
            let seen = Client { address: &address, ca: cert, arguments }.connect(&client);
            let seen = seen.with_context(|| nginx.error_log())?;
            assert_eq!([seen.protocol, seen.signature, seen.digest], expected, "{arguments}");
        }
        assert_eq!(site.vault().stats().sign, before + 4);
        let seen = client.ok(&format!(
            "s_client -brief -connect {address} -servername neighbour -verify_return_error \
             -CAfile {ordinary_cert}"
        ))?;
        let said = seen.stderr.replace("CN = ", "CN=");
        assert!(said.contains("CN=neighbour"), "{}", seen.describe());
        assert_eq!(site.vault().stats().sign, before + 4, "the neighbour's key is its own");
        if round < 2 {
            nginx.reload()?;
        }
    }
    nginx.stop()
}

#[test]
fn names_a_missing_key() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let cert = certificate(&site, &site.ec(Curve::P256)?, "nginx-missing")?;
    let error = Nginx::start(&Setup {
        certificates: vec![(cert, "engine:e_akv:vault:testvault:missing".into())],
        openssl_config: configure(&site, "nginx.cnf", "")?,
        ..Setup::default()
    })
    .expect_err("there is no such key");
    let text = format!("{error:#}");
    assert!(text.contains("ENGINE_load_private_key"), "{text}");
    assert!(text.contains("e_akv") && text.contains("HTTP 404"), "{text}");
    Ok(())
}
