//! Certificates that are in the vault with their keys.

use akv_emulator::{Curve, Fault, FaultKind, NewKey, Operation, Persona};
use akv_tests::{Site, Task, cc};
use anyhow::Result;

/// `OSSL_STORE_INFO_…`.
const ANYTHING: &str = "0";
const CERTIFICATE: &str = "5";

/// A vault with one key that has a certificate, and one that does not.
fn site() -> Result<Site> {
    let site = Site::start(Persona::Vault)?;
    site.vault().create_certificate(NewKey::ec("web", Curve::P256), "CN=first")?;
    site.vault().create_key(NewKey::ec("bare", Curve::P256))?;
    Ok(site)
}

/// The objects that a C program loads from a store, line by line.
fn load(site: &Site, uri: &str, expected: &str) -> Result<(String, String)> {
    let program = cc::compile("provider/store_list", site.folder())?;
    let task = Task::new(program).env("OPENSSL_CONF", site.path("openssl.cnf"));
    let output = task.args([uri, expected, "20"]).ok()?;
    Ok((output.text(), output.stderr))
}

fn asked(site: &Site, operation: Operation) -> u64 {
    site.vault().stats().operation(operation)
}

#[test]
fn x509_reads_the_certificate_of_a_key() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let version =
        site.vault().create_certificate(NewKey::ec("web", Curve::P256), "CN=first")?.version;
    let old = site.openssl().ok("pkey -in vault:testvault:web -pubout")?.text();
    let first = site.openssl().ok("x509 -in vault:testvault:web -noout -pubkey")?;
    assert_eq!((first.text(), first.stderr.as_str()), (old, ""), "it belongs to the key");
    assert_eq!(asked(&site, Operation::GetCertificate), 1);

    // A version has its own certificate, in every form of reference.
    site.vault().create_certificate(NewKey::rsa("web", 2048), "CN=second")?;
    for (reference, subject) in [
        ("vault:testvault:web".to_owned(), "second"),
        ("akv:https://testvault.vault.azure.net/keys/web".to_owned(), "second"),
        (format!("vault:testvault:web:{version}"), "first"),
        (format!("engine:e_akv:vault:testvault:web:{version}"), "first"),
    ] {
        let text = site.openssl().ok(&format!("x509 -in {reference} -noout -subject"))?.text();
        assert!(text.contains(subject), "{reference}: {text}");
        let text = site.openssl().ok(&format!("storeutl -certs -text {reference}"))?.text();
        assert!(text.contains("Total found: 1") && text.contains(subject), "{text}");
    }
    Ok(())
}

#[test]
fn a_certificate_of_the_vault_serves_and_signs() -> Result<()> {
    let site = site()?;
    let (data, output) = (site.text("plain.cnf"), site.text("stored.p7"));
    let key = "vault:testvault:web";
    site.openssl().ok(&format!(
        "cms -sign -binary -in {data} -signer {key} -inkey {key} -outform DER -out {output}"
    ))?;
    let certificate = site.text("stored.pem");
    site.openssl().ok(&format!("x509 -in {key} -out {certificate}"))?;
    site.plain().ok(&format!(
        "cms -verify -binary -inform DER -in {output} -CAfile {certificate} -content {data} \
         -purpose any -out /dev/null"
    ))?;
    Ok(())
}

#[test]
fn a_key_comes_before_its_certificate_without_an_expected_type() -> Result<()> {
    let site = site()?;
    let (text, errors) = load(&site, "vault:testvault:web", ANYTHING)?;
    assert_eq!(
        (text.as_str(), errors.as_str()),
        ("Pkey\nPublic key\ncertificate /CN=first\nend\n", "")
    );
    let text = site.openssl().ok("storeutl -noout vault:testvault:web")?.text();
    assert_eq!(text.lines().next_back(), Some("Total found: 3"), "{text}");

    // Loading a key sends no request for its certificate, and neither does a key without a
    // certificate.
    site.vault().reset_stats();
    site.openssl().ok("pkey -in vault:testvault:web -noout")?;
    let (text, errors) = load(&site, "vault:testvault:bare", ANYTHING)?;
    assert_eq!((text.as_str(), errors.as_str()), ("Pkey\nPublic key\nend\n", ""));
    assert_eq!(asked(&site, Operation::GetCertificate), 0);
    Ok(())
}

#[test]
fn a_forbidden_certificate_does_not_affect_the_key() -> Result<()> {
    let site = site()?;
    for kind in [FaultKind::Forbidden, FaultKind::Status { status: 404, retry_after: None }] {
        site.vault().fault(Fault::new(kind).on(Operation::GetCertificate).forever());
        let (text, errors) = load(&site, "vault:testvault:web", ANYTHING)?;
        assert_eq!((text.as_str(), errors.as_str()), ("Pkey\nPublic key\nend\n", ""));
        let output = site.openssl().ok("storeutl -noout vault:testvault:web")?;
        assert!(output.text().contains("Total found: 2"), "{}", output.describe());
        assert_eq!(output.stderr, "");
        // A caller that expects the certificate gets the error.
        let (text, errors) = load(&site, "vault:testvault:web", CERTIFICATE)?;
        assert_eq!((text.as_str(), errors.lines().count()), ("error\nend\n", 1));
        assert!(errors.contains("cannot load the certificate vault:testvault:web"), "{errors}");
        site.vault().clear_faults();
    }
    // Anything else is an error, after the key.
    site.vault().fault(Fault::status(400).on(Operation::GetCertificate).forever());
    let (text, errors) = load(&site, "vault:testvault:web", ANYTHING)?;
    assert_eq!((text.as_str(), errors.lines().count()), ("Pkey\nPublic key\nerror\nend\n", 1));
    Ok(())
}

#[test]
fn a_missing_certificate_is_reported_with_its_reason() -> Result<()> {
    let site = site()?;
    for (reference, word) in [
        ("vault:testvault:bare", "CertificateNotFound"),
        ("vault:testvault:nobody", "CertificateNotFound"),
        ("managedHsm:testvault:web", "a Managed HSM has no certificates"),
    ] {
        site.vault().reset_stats();
        let output = site.openssl().fails(&format!("x509 -in {reference} -noout"))?;
        assert!(output.stderr.contains(word), "{}", output.describe());
        let (text, errors) = load(&site, reference, CERTIFICATE)?;
        assert_eq!((text.as_str(), errors.lines().count()), ("error\nend\n", 1), "{errors}");
        let requests = if reference.starts_with("vault") { 2 } else { 0 };
        assert_eq!(site.vault().stats().requests, requests, "{reference}");
    }
    Ok(())
}

#[test]
fn one_bad_response_is_retried() -> Result<()> {
    let site = site()?;
    for kind in [
        FaultKind::NotJson,
        FaultKind::TruncatedBody,
        FaultKind::WrongShape,
        FaultKind::ResetAfterRequest,
    ] {
        site.vault().fault(Fault::new(kind.clone()).on(Operation::GetCertificate));
        let output = site.openssl().ok("x509 -in vault:testvault:web -noout -subject")?;
        assert!(output.text().contains("first"), "{kind:?}: {}", output.describe());
        assert_eq!(output.stderr, "", "success leaves no entry");
    }
    Ok(())
}

#[test]
fn the_list_shows_which_keys_have_a_certificate() -> Result<()> {
    let site = site()?;
    let (text, _) = load(&site, "vault:testvault:", ANYTHING)?;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "name vault:testvault:bare");
    assert!(
        lines[1].starts_with("name vault:testvault:web | with a certificate, expires 2"),
        "{text}"
    );
    let text = site.openssl().ok("storeutl -r -noout vault:testvault:")?.text();
    assert_eq!((text.matches(": Pkey").count(), text.matches(": Certificate").count()), (2, 1));
    Ok(())
}
