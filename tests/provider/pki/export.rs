//! No command takes the private half out of the vault; every attempt fails with the reason.

use std::path::Path;

use anyhow::Result;

use super::{Pki, entry};

#[test]
fn the_private_half_is_written_to_no_file() -> Result<()> {
    let pki = Pki::start()?;
    let site = &pki.site;
    for identity in [pki.rsa("kept-rsa")?, pki.ec("kept-ec")?] {
        let super::Identity { certificate, key } = &identity;
        let output = site.text("kept.out");
        for line in [
            format!("pkcs12 -export -inkey {key} -in {certificate} -passout pass:x -out {output}"),
            format!("pkcs8 -topk8 -nocrypt -in {key} -out {output}"),
            format!("pkcs8 -topk8 -passout pass:x -in {key} -out {output}"),
            format!("pkey -in {key} -outform DER -out {output}"),
        ] {
            let _ = std::fs::remove_file(&output);
            let requests = site.vault().stats().requests;
            let failed = site.openssl().fails(&line)?;
            let said = entry(&failed);
            assert!(said.contains("never leaves the vault"), "{said}");
            assert!(said.contains("key file"), "what to do: {said}");
            let empty = !Path::new(&output).exists() || std::fs::read(&output)?.is_empty();
            assert!(empty, "`{line}` wrote something");
            assert_eq!(site.vault().stats().requests, requests);
        }
    }
    Ok(())
}

/// Without the private key, PKCS#12 contains only certificates.
#[test]
fn certificates_alone_are_exported() -> Result<()> {
    let pki = Pki::start()?;
    let (identity, output) = (pki.rsa("boxed")?, pki.site.text("boxed.p12"));
    pki.site.openssl().ok(&format!(
        "pkcs12 -export -nokeys -in {} -certfile {} -passout pass:x -out {output}",
        identity.certificate, pki.root
    ))?;
    let text = pki.site.plain().ok(&format!("pkcs12 -in {output} -passin pass:x -nokeys"))?;
    assert_eq!(text.text().matches("BEGIN CERTIFICATE").count(), 2, "{}", text.describe());
    Ok(())
}

#[test]
fn other_keys_are_exported_unchanged() -> Result<()> {
    let pki = Pki::start()?;
    let site = &pki.site;
    let (key, certificate, output) =
        (site.text("own.key"), site.text("own.pem"), site.text("own.p12"));
    for options in ["RSA -pkeyopt rsa_keygen_bits:2048", "EC -pkeyopt ec_paramgen_curve:P-256"] {
        site.openssl().ok(&format!("genpkey -algorithm {options} -out {key}"))?;
        site.openssl()
            .ok(&format!("req -x509 -new -key {key} -subj /CN=own -out {certificate}"))?;
        let exported = site.openssl().ok(&format!(
            "pkcs12 -export -inkey {key} -in {certificate} -passout pass:x -out {output}"
        ))?;
        assert_eq!(exported.stderr, "");
        let text =
            site.plain().ok(&format!("pkcs12 -in {output} -passin pass:x -nodes -nocerts"))?;
        assert!(text.text().contains("BEGIN PRIVATE KEY"), "{}", text.describe());
        let text = site.openssl().ok(&format!("pkcs8 -topk8 -nocrypt -in {key}"))?;
        assert!(text.text().contains("BEGIN PRIVATE KEY"), "{}", text.describe());
    }
    Ok(())
}
