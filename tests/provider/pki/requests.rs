//! Certificate requests of every kind: `req`, `x509`, `spkac`, `dgst`.

use akv_emulator::Curve;
use anyhow::Result;

use super::Pki;

#[test]
fn spkac_verifies() -> Result<()> {
    let pki = Pki::start()?;
    let (site, spkac) = (&pki.site, pki.site.text("key.spkac"));
    for key in [site.rsa(2048)?, site.key_file(&site.rsa(3072)?, "spkac.key")?] {
        site.openssl().ok(&format!("spkac -key {key} -challenge hello -out {spkac}"))?;
        let checked = site.plain().ok(&format!("spkac -in {spkac} -verify"))?;
        assert!(checked.stderr.contains("Signature OK"), "{}", checked.describe());
        assert!(checked.text().contains("hello"), "{}", checked.describe());
    }
    Ok(())
}

#[test]
fn x509_makes_a_request_of_a_certificate_and_a_certificate_of_a_request() -> Result<()> {
    let pki = Pki::start()?;
    let site = &pki.site;
    let (request, certificate) = (site.text("again.csr"), site.text("again.pem"));
    for identity in [pki.rsa("again-rsa")?, pki.ec("again-ec")?] {
        site.openssl().ok(&format!(
            "x509 -in {} -x509toreq -signkey {} -out {request}",
            identity.certificate, identity.key
        ))?;
        let checked = site.plain().ok(&format!("req -in {request} -verify -noout"))?;
        assert!(!checked.stderr.to_lowercase().contains("fail"), "{}", checked.describe());
        site.openssl().ok(&format!(
            "x509 -req -in {request} -signkey {} -days 1 -sha512 -out {certificate}",
            identity.key
        ))?;
        site.plain().ok(&format!("verify -check_ss_sig -CAfile {certificate} {certificate}"))?;
        site.openssl().ok(&format!(
            "req -x509 -in {request} -CA {} -CAkey {} -days 1 -out {certificate}",
            pki.root, pki.root_key
        ))?;
        site.plain().ok(&format!("verify -CAfile {} {certificate}", pki.root))?;
    }
    Ok(())
}

#[test]
fn dgst_signs_files_with_references_and_key_files() -> Result<()> {
    let pki = Pki::start()?;
    let site = &pki.site;
    let (data, signature) = (site.text("plain.cnf"), site.text("plain.sig"));
    for key in [site.rsa(2048)?, site.ec(Curve::P256)?] {
        let public = site.public_key(&key)?;
        for signing in [key.clone(), site.key_file(&key, "dgst.key")?] {
            site.openssl().ok(&format!("dgst -sha256 -sign {signing} -out {signature} {data}"))?;
            let check = format!("-sha256 -verify {public} -signature {signature}");
            site.plain().ok(&format!("dgst {check} {data}"))?;
            site.plain().fails(&format!("dgst {check} {public}"))?;
        }
    }
    Ok(())
}
