//! Certificates, requests and signed messages created with vault keys and verified with plain
//! OpenSSL.

use akv_emulator::Curve;
use akv_tests::Site;
use anyhow::Result;

const PSS: &str = "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest";

/// Creates a self-signed certificate.
fn self_signed(site: &Site, key: &str, name: &str, options: &str) -> Result<String> {
    let certificate = site.text(name);
    site.openssl().ok(&format!(
        "req -x509 -new -key {key} -days 2 -subj /CN=localhost \
         -addext subjectAltName=DNS:localhost {options} -out {certificate}"
    ))?;
    Ok(certificate)
}

#[test]
fn self_signed_certificates_verify() -> Result<()> {
    let site = Site::shared()?;
    for (key, options, algorithm) in [
        (site.rsa(2048)?, "-sha256", "sha256WithRSAEncryption"),
        (site.rsa(3072)?, "-sha384", "sha384WithRSAEncryption"),
        (site.rsa(2048)?, "-sha512", "sha512WithRSAEncryption"),
        (site.rsa(2048)?, &format!("-sha256 {PSS}"), "rsassaPss"),
        (site.ec(Curve::P256)?, "-sha256", "ecdsa-with-SHA256"),
        (site.ec(Curve::P384)?, "-sha384", "ecdsa-with-SHA384"),
        (site.ec(Curve::P521)?, "-sha512", "ecdsa-with-SHA512"),
        (site.ec(Curve::P256K)?, "-sha224", "ecdsa-with-SHA224"),
    ] {
        let certificate = self_signed(&site, &key, "self.pem", options)?;
        let verified = site
            .plain()
            .ok(&format!("verify -check_ss_sig -CAfile {certificate} {certificate}"))?;
        assert!(verified.text().contains("OK"), "{}", verified.describe());
        let text = site.plain().ok(&format!("x509 -in {certificate} -noout -text"))?.text();
        assert!(text.contains(&format!("Signature Algorithm: {algorithm}")), "{text}");
    }
    Ok(())
}

#[test]
fn requests_verify() -> Result<()> {
    let site = Site::shared()?;
    let request = site.text("request.pem");
    for (key, options, algorithm) in [
        (site.rsa(2048)?, "-sha256".to_owned(), "sha256WithRSAEncryption"),
        (site.rsa(4096)?, "-sha512".to_owned(), "sha512WithRSAEncryption"),
        (site.ec(Curve::P256)?, "-sha256".to_owned(), "ecdsa-with-SHA256"),
        (site.ec(Curve::P521)?, "-sha512".to_owned(), "ecdsa-with-SHA512"),
    ] {
        site.openssl()
            .ok(&format!("req -new -key {key} -subj /CN=localhost {options} -out {request}"))?;
        let text = site.plain().ok(&format!("req -in {request} -verify -noout -text"))?.text();
        assert!(text.contains(&format!("Signature Algorithm: {algorithm}")), "{text}");
    }
    Ok(())
}

#[test]
fn pss_requests_verify_and_name_pss() -> Result<()> {
    let site = Site::shared()?;
    let (key, request) = (site.rsa(2048)?, site.text("pss-request.pem"));
    for (digest, salt) in [("sha256", "0x20"), ("sha384", "0x30"), ("sha512", "0x40")] {
        site.openssl().ok(&format!(
            "req -new -key {key} -subj /CN=localhost -{digest} {PSS} -out {request}"
        ))?;
        let text = site.plain().ok(&format!("req -in {request} -verify -noout -text"))?.text();
        assert!(text.contains("Signature Algorithm: rsassaPss"), "{text}");
        assert!(text.contains(&format!("Hash Algorithm: {digest}")), "{text}");
        assert!(text.contains(&format!("Mask Algorithm: mgf1 with {digest}")), "{text}");
        assert!(text.contains(&format!("Salt Length: {salt}")), "{text}");
    }
    Ok(())
}

#[test]
fn ca_key_in_the_vault_issues_certificates() -> Result<()> {
    let site = Site::shared()?;
    for authority in [site.rsa(2048)?, site.ec(Curve::P384)?] {
        let constraints = "-sha256 -addext basicConstraints=critical,CA:TRUE";
        let ca = self_signed(&site, &authority, "ca.pem", constraints)?;
        let ca_key = site.key_file(&authority, "ca.key")?;
        let (key, request, leaf) =
            (site.ec(Curve::P256)?, site.text("leaf.csr"), site.text("leaf.pem"));
        site.openssl().ok(&format!("req -new -key {key} -subj /CN=leaf -out {request}"))?;
        for signer in [&authority, &ca_key] {
            site.openssl().ok(&format!(
                "x509 -req -in {request} -CA {ca} -CAkey {signer} -sha384 -days 1 -out {leaf}"
            ))?;
            site.plain().ok(&format!("verify -CAfile {ca} {leaf}"))?;
        }
    }
    Ok(())
}

#[test]
fn a_certificate_belongs_to_its_key_only() -> Result<()> {
    let site = Site::shared()?;
    let (right, wrong) = (site.rsa(2048)?, site.rsa(3072)?);
    let certificate = self_signed(&site, &right, "match.pem", "-sha256")?;
    let (input, output) = (site.text("plain.cnf"), site.text("match.p7"));
    let sign = |key: &str| {
        format!("cms -sign -in {input} -signer {certificate} -inkey {key} -out {output}")
    };
    site.openssl().ok(&sign(&right))?;
    let failed = site.openssl().fails(&sign(&wrong))?;
    assert!(failed.stderr.contains("does not match"), "{}", failed.describe());
    Ok(())
}

#[test]
fn a_certificate_may_hold_its_point_compressed() -> Result<()> {
    let site = Site::shared()?;
    let (compressed, request) = (site.text("compressed.pub"), site.text("compressed.csr"));
    let (certificate, output) = (site.text("compressed.pem"), site.text("compressed.p7"));
    for curve in [Curve::P256, Curve::P384, Curve::P521, Curve::P256K] {
        let key = site.ec(curve)?;
        let public = site.public_key(&key)?;
        site.plain().ok(&format!(
            "ec -pubin -in {public} -conv_form compressed -pubout -out {compressed}"
        ))?;
        site.openssl().ok(&format!("req -new -key {key} -subj /CN=compressed -out {request}"))?;
        site.openssl().ok(&format!(
            "x509 -req -in {request} -force_pubkey {compressed} -signkey {key} -out {certificate}"
        ))?;
        let text = site.plain().ok(&format!("x509 -in {certificate} -noout -text"))?.text();
        let point = text.split_once("pub:").map(|(_, point)| point.trim_start());
        assert!(
            point.is_some_and(|point| point.starts_with(['0']) && &point[1..2] != "4"),
            "{text}"
        );
        let input = site.text("plain.cnf");
        site.openssl().ok(&format!(
            "cms -sign -in {input} -signer {certificate} -inkey {key} -out {output}"
        ))?;
    }
    Ok(())
}

#[test]
fn cms_signed_messages_verify() -> Result<()> {
    let site = Site::shared()?;
    let (input, output) = (site.text("plain.cnf"), site.text("message.p7"));
    for (key, options) in [
        (site.rsa(2048)?, "-md sha256"),
        (site.rsa(2048)?, "-md sha384 -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:digest"),
        (site.ec(Curve::P256)?, "-md sha256"),
        (site.ec(Curve::P521)?, "-md sha512"),
    ] {
        let certificate = self_signed(&site, &key, "signer.pem", "-sha256")?;
        site.openssl().ok(&format!(
            "cms -sign -binary -in {input} -signer {certificate} -inkey {key} {options} \
             -outform DER -out {output}"
        ))?;
        site.plain().ok(&format!(
            "cms -verify -binary -inform DER -in {output} -CAfile {certificate} \
             -content {input} -out /dev/null"
        ))?;
    }
    Ok(())
}
