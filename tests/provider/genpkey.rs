//! Creating keys in the vault.

use akv_core::{KeyAttributes, KeyOperation, KeyType, Settings, blocking::Client};
use akv_emulator::{Fault, FaultKind, NewKey, Operation, Persona};
use akv_tests::{Output, Site, Task, cc};
use anyhow::{Context as _, Result};

/// The command line for a new key.
fn genpkey(options: &str) -> String {
    format!("genpkey -propquery provider=akv_provider {options}")
}

/// The attributes of a key, by the library.
fn attributes(site: &Site, reference: &str) -> Result<KeyAttributes> {
    let builder = site
        .settings()
        .iter()
        .try_fold(Settings::builder(), |builder, (name, value)| builder.option(name, value))?;
    let client = Client::new(builder.build()?);
    let key = client.key(&client.reference(reference)?)?;
    key.attributes().cloned().context("a requested key has attributes")
}

fn created(site: &Site) -> u64 {
    site.vault().stats().operation(Operation::CreateKey)
}

/// Signs with a key file and verifies the signature with the vault's public key.
fn signs(site: &Site, file: &str, reference: &str) -> Result<()> {
    let (data, signature) = (site.text("plain.cnf"), site.text("made.sig"));
    let public = site.public_key(reference)?;
    site.openssl().ok(&format!("dgst -sha256 -sign {file} -out {signature} {data}"))?;
    site.plain().ok(&format!("dgst -sha256 -verify {public} -signature {signature} {data}"))?;
    Ok(())
}

#[test]
fn genpkey_makes_keys_that_sign() -> Result<()> {
    for (persona, place, hardware) in
        [(Persona::Vault, "vault", false), (Persona::ManagedHsm, "managedHsm", true)]
    {
        let site = Site::start(persona)?;
        let file = site.text("made.key");
        for (name, options, text) in [
            ("rsa", "-algorithm RSA", "(2048 bit)"),
            ("rsa3", "-algorithm rsa -pkeyopt rsa_keygen_bits:3072", "(3072 bit)"),
            ("p256", "-algorithm EC -pkeyopt ec_paramgen_curve:prime256v1", "prime256v1"),
            ("p384", "-algorithm ec -pkeyopt ec_paramgen_curve:P-384", "secp384r1"),
            ("p521", "-algorithm EC -pkeyopt group:secp521r1", "secp521r1"),
            (
                "p256k",
                "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 \
                 -pkeyopt ec_param_enc:named_curve",
                "secp256k1",
            ),
        ] {
            site.vault().reset_stats();
            let reference = format!("{place}:testvault:{name}");
            let line = genpkey(&format!("{options} -pkeyopt akv-name:{reference} -out {file}"));
            let output = site.openssl().ok(&line)?;
            assert!(!output.stderr.contains("error"), "{}", output.describe());
            assert_eq!(created(&site), 1, "{line}");
            let pem = site.read("made.key")?;
            assert!(pem.starts_with("-----BEGIN AKV PRIVATE KEY-----\n"), "{pem}");
            let told = site.openssl().ok(&format!("pkey -in {file} -noout -text"))?.text();
            assert!(told.contains(text), "{told}");
            signs(&site, &file, &reference)?;
            let attributes = attributes(&site, &reference)?;
            assert_eq!(attributes.key_type().map(KeyType::is_hardware), Some(hardware), "{name}");
            assert!(!attributes.exportable());
        }
    }
    Ok(())
}

#[test]
fn a_key_has_the_requested_attributes() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let line = genpkey(
        "-algorithm RSA -pkeyopt akv-name:akv:type=vault,vault=testvault,name=web \
         -pkeyopt akv-hsm:yes -pkeyopt akv-ops:sign,verify -pkeyopt akv-not-before:2020-01-02 \
         -pkeyopt akv-expires:2099-12-31T23:59:59Z -pkeyopt akv-tags:owner=www,team=a=b \
         -pkeyopt akv-tags:more=",
    );
    let text = site.openssl().ok(&format!("{line} -text"))?.text();
    assert!(text.contains("AKV PRIVATE KEY") && text.contains("Key: web"), "{text}");
    let attributes = attributes(&site, "vault:testvault:web")?;
    assert_eq!(attributes.key_type(), Some(&KeyType::RsaHsm));
    assert_eq!(attributes.operations(), Some(&[KeyOperation::Sign, KeyOperation::Verify][..]));
    let tags: Vec<_> = attributes.tags().iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(tags, ["more=", "owner=www", "team=a=b"]);
    let seconds = |time: Option<std::time::SystemTime>| {
        time.and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok()).map(|d| d.as_secs())
    };
    assert_eq!(seconds(attributes.not_before()), Some(1_577_923_200));
    assert_eq!(seconds(attributes.expires()), Some(4_102_444_799));
    Ok(())
}

/// Fails, with one error entry of ours that contains the word.
fn refused(site: &Site, options: &str, word: &str) -> Result<Output> {
    let output = site.openssl().fails(&genpkey(options))?;
    let ours = output.stderr.lines().filter(|line| line.contains(":akv_provider:"));
    assert!(
        ours.clone().count() == 1 && ours.clone().all(|line| line.contains(word)),
        "{word}: {}",
        output.describe()
    );
    assert!(!output.text().contains("PRIVATE KEY"), "{}", output.describe());
    Ok(output)
}

#[test]
fn bad_values_are_refused_before_any_network_use() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let named = "-pkeyopt akv-name:vault:testvault:new";
    let (rsa, ec) = ("-algorithm RSA", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256");
    for (options, word) in [
        (rsa.to_owned(), "akv-name"),
        (ec.to_owned(), "akv-name"),
        (format!("-algorithm EC {named}"), "ec_paramgen_curve:P-256"),
        (format!("{rsa} -pkeyopt akv-name:vault:testvault:"), "no key in it"),
        (format!("{rsa} -pkeyopt akv-name:vault:testvault:bad_name"), "bad_name"),
        (format!("{rsa} -pkeyopt akv-name:vault:evil.example/?:k"), "evil.example"),
        (format!("{rsa} -pkeyopt akv-name:vault:testvault:k:{}", "0".repeat(32)), "version"),
        (format!("{rsa} {named} -pkeyopt rsa_keygen_bits:1024"), "1024"),
        (format!("{rsa} {named} -pkeyopt rsa_keygen_pubexp:3"), "65537"),
        (format!("{rsa} {named} -pkeyopt rsa_keygen_primes:3"), "two primes"),
        (format!("-algorithm EC {named} -pkeyopt ec_paramgen_curve:brainpoolP256r1"), "brainpool"),
        (format!("{ec} {named} -pkeyopt ec_param_enc:explicit"), "named curves"),
        (format!("{ec} {named} -pkeyopt akv-hsm:maybe"), "akv-hsm"),
        (format!("{ec} {named} -pkeyopt akv-new-version:2"), "akv-new-version"),
        (format!("{ec} {named} -pkeyopt akv-ops:sign,fly"), "fly"),
        (format!("{ec} {named} -pkeyopt akv-ops:decrypt"), "decrypt"),
        (format!("{ec} {named} -pkeyopt akv-expires:soon"), "2030-12-31"),
        (format!("{ec} {named} -pkeyopt akv-expires:2020-01-01"), "passed"),
        (
            format!(
                "{ec} {named} -pkeyopt akv-expires:2098-01-01 -pkeyopt akv-not-before:2099-01-01"
            ),
            "expire before",
        ),
        (format!("{ec} {named} -pkeyopt akv-tags:a"), "name=value"),
        (format!("-genparam {ec} {named}"), "no parameters without a key"),
    ] {
        refused(&site, &options, word).context(options)?;
    }
    site.openssl().fails(&genpkey(&format!("{ec} {named} -pkeyopt akv-exportable:yes")))?;
    site.openssl().fails(&genpkey(&format!("{rsa} {named} -pkeyopt ec_paramgen_curve:P-256")))?;
    assert_eq!(site.vault().stats().connections, 0);
    Ok(())
}

#[test]
fn an_existing_name_is_refused_unless_a_new_version_is_requested() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let ec = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";
    site.vault().create_key(NewKey::rsa("taken", 2048))?;
    site.vault().create_key(NewKey::rsa("off", 2048).enabled(false))?;
    for name in ["taken", "TAKEN", "off"] {
        let options = format!("{ec} -pkeyopt akv-name:vault:testvault:{name}");
        refused(&site, &options, "exists already")?;
    }
    assert_eq!(created(&site), 0);
    let again =
        format!("{ec} -pkeyopt akv-new-version:yes -pkeyopt akv-name:vault:testvault:taken");
    site.openssl().ok(&genpkey(&again))?;
    let text = site.openssl().ok("pkey -in vault:testvault:taken -noout -text")?.text();
    assert!(text.contains("prime256v1"), "{text}");
    let stats = site.vault().stats();
    assert_eq!((created(&site), stats.get_key), (1, 4), "no check for an existing key");

    // Without permission to read keys, the command fails, and no key is created.
    site.vault().fault(Fault::new(FaultKind::Forbidden).on(Operation::GetKey));
    let options = format!("{ec} -pkeyopt akv-name:vault:testvault:blind");
    refused(&site, &options, "akv-new-version:yes")?;
    assert_eq!(created(&site), 1);
    Ok(())
}

#[test]
fn a_lost_response_does_not_make_a_second_key() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    site.vault().fault(Fault::new(FaultKind::ResetAfterRequest).on(Operation::CreateKey));
    let options = "-algorithm RSA -pkeyopt akv-name:vault:testvault:maybe";
    let output = refused(&site, options, "cannot create vault:testvault:maybe")?;
    assert!(output.stderr.contains("may have been executed"), "{}", output.describe());
    assert_eq!(created(&site), 1);
    Ok(())
}

#[test]
fn keys_come_from_other_providers_unless_this_one_is_named() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let line = "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256";
    let pem = site.openssl().ok(line)?.text();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----"), "{pem}");
    site.openssl().fails(&format!("{line} -pkeyopt akv-name:vault:testvault:k"))?;
    assert_eq!(site.vault().stats().connections, 0);
    Ok(())
}

#[test]
fn programs_make_keys_in_the_vault_and_keys_of_their_own() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let program = cc::compile("provider/make_key", site.folder())?;
    for (kind, bits) in [("RSA", "3072\n3072\n2048\n"), ("EC", "384\n384\n256\n")] {
        let task = Task::new(&program).env("OPENSSL_CONF", site.path("openssl.cnf"));
        let output = task.args([kind, &format!("vault:testvault:by-{kind}")]).ok()?;
        assert_eq!(output.text(), bits, "{}", output.describe());
    }
    assert_eq!(created(&site), 4);
    Ok(())
}
