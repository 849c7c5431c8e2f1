//! References to keys, and the parameters of a loaded key.

use akv_emulator::{Curve, NewKey, Persona};
use akv_tests::{Site, Task, cc};
use anyhow::{Context as _, Result};

#[test]
fn reference_of_every_form_names_the_same_key() -> Result<()> {
    let site = Site::shared()?;
    let key = site.vault().create_key(NewKey::ec("many-names", Curve::P256))?;
    let version = &key.version;
    let public = std::fs::read(site.public_key("vault:testvault:many-names")?)?;
    for reference in [
        "VAULT:testVault:many-names".to_owned(),
        "managedHsm:testvault:many-names".to_owned(),
        "engine:e_akv:vault:testvault:many-names".to_owned(),
        format!("vault:testvault:many-names:{version}"),
        format!("vault:testvault:many-names?version={version}"),
        "akv:type=vault,vault=testvault,name=many-names".to_owned(),
        format!("akv:vault=testvault,name=many-names,version={version}"),
        "akv:keyvault_type=vault,keyvault_name=testvault,key_name=many-names".to_owned(),
        "akv:https://testvault.vault.azure.net/keys/many-names".to_owned(),
        format!("akv:https://testvault.vault.azure.net/keys/many-names/{version}"),
    ] {
        let output = site.openssl().ok(&format!("pkey -in {reference} -pubout"))?;
        assert_eq!(output.stdout, public, "{reference}");
        assert_eq!(output.stderr, "", "{reference}");
    }
    Ok(())
}

#[test]
fn reference_by_url_may_end_with_a_slash() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let reference = site.ec(Curve::P256)?;
    let name = reference.rsplit(':').next().unwrap_or_default();
    let url = format!("akv:https://testvault.vault.azure.net/keys/{name}");
    let text = site.openssl().ok(&format!("pkey -in {url}/ -noout -text"))?.text();
    let version =
        text.lines().find_map(|line| line.strip_prefix("Version: ")).context("version")?;
    site.openssl().ok(&format!("pkey -in {url}/{version}/ -noout"))?;
    Ok(())
}

#[test]
fn public_keys_are_whole_and_of_the_right_kind() -> Result<()> {
    let site = Site::shared()?;
    for (key, expected) in [
        (site.rsa(2048)?, "Public-Key: (2048 bit)"),
        (site.ec(Curve::P256)?, "ASN1 OID: prime256v1"),
        (site.ec(Curve::P384)?, "ASN1 OID: secp384r1"),
        (site.ec(Curve::P521)?, "ASN1 OID: secp521r1"),
        (site.ec(Curve::P256K)?, "ASN1 OID: secp256k1"),
    ] {
        let public = site.public_key(&key)?;
        let text = site.plain().ok(&format!("pkey -pubin -in {public} -noout -text"))?.text();
        assert!(text.contains(expected), "{key}: {text}");
        site.plain().ok(&format!("pkey -pubin -in {public} -pubcheck -noout"))?;
    }
    Ok(())
}

#[test]
fn key_file_pins_the_version_and_costs_no_request() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let first = site.vault().create_key(NewKey::rsa("pinned", 2048))?;
    let file = site.key_file("vault:testvault:pinned", "pinned.key")?;
    let text = site.read("pinned.key")?;
    assert!(text.starts_with("-----BEGIN AKV PRIVATE KEY-----\n"), "{text}");
    assert!(text.trim_end().ends_with("-----END AKV PRIVATE KEY-----"), "{text}");
    let parsed = site.plain().ok(&format!("asn1parse -in {file}"))?.text();
    let pinned = format!("vault:testvault:pinned:{}", first.version);
    assert!(parsed.contains(&pinned), "{parsed}");
    let public = site.openssl().ok(&format!("pkey -in {file} -pubout"))?.text();

    site.vault().rotate_key("pinned")?;
    site.vault().reset_stats();
    assert_eq!(site.openssl().ok(&format!("pkey -in {file} -pubout"))?.text(), public);
    assert_eq!(site.vault().stats().connections, 0, "loading a key file sends no request");

    std::fs::write(site.path("old.pub"), &public)?;
    sign_and_verify(&site, &file, &site.text("old.pub"))?;
    let stats = site.vault().stats();
    assert_eq!((stats.sign, stats.get_key), (1, 0), "{stats:?}");
    Ok(())
}

#[test]
fn reference_without_version_means_the_newest() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let old = site.openssl().ok(&format!("pkey -in {key} -pubout"))?.text();
    site.vault().rotate_key("ec-p-256")?;
    let new = site.openssl().ok(&format!("pkey -in {key} -pubout"))?.text();
    assert_ne!(old, new);
    Ok(())
}

#[test]
fn keys_of_a_managed_hsm_sign() -> Result<()> {
    let site = Site::start(Persona::ManagedHsm)?;
    for key in [site.rsa(2048)?, site.ec(Curve::P256)?] {
        let file = site.key_file(&key, "hsm.key")?;
        sign_and_verify(&site, &file, &site.public_key(&key)?)?;
    }
    Ok(())
}

#[test]
fn store_opens_the_key_for_storeutl() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let keys = site.openssl().ok(&format!("storeutl -noout -keys {key}"))?.text();
    assert!(keys.contains("Total found: 1"), "{keys}");
    Ok(())
}

#[test]
fn provider_lists_its_name_version_and_status() -> Result<()> {
    let site = Site::shared()?;
    let list = site.openssl().ok("list -providers -verbose")?.text();
    let ours = list.split_once("akv_provider").map(|(_, ours)| ours).unwrap_or_default();
    for line in ["name: ", "version: 0.", "status: active"] {
        assert!(ours.contains(line), "{list}");
    }
    Ok(())
}

#[test]
fn key_properties_in_libcrypto_are_those_of_its_public_half() -> Result<()> {
    let site = Site::shared()?;
    let program = cc::compile("provider/key_facts", site.folder())?;
    for (key, bits) in [
        (site.rsa(2048)?, "2048"),
        (site.rsa(4096)?, "4096"),
        (site.ec(Curve::P256)?, "256"),
        (site.ec(Curve::P384)?, "384"),
        (site.ec(Curve::P521)?, "521"),
        (site.ec(Curve::P256K)?, "256"),
    ] {
        let public = site.public_key(&key)?;
        let config = site.path("openssl.cnf");
        let task = Task::new(&program).env("OPENSSL_CONF", config);
        assert_eq!(task.args([&key, &public]).ok()?.text().trim(), bits, "{key}");
    }
    Ok(())
}

#[test]
fn key_parameters_are_those_of_its_public_half_in_the_default_provider() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let program = cc::compile("provider/key_params", site.folder())?;
    for (key, least) in [
        (site.rsa(2048)?, 10),
        (site.rsa(3072)?, 10),
        (site.ec(Curve::P256)?, 30),
        (site.ec(Curve::P384)?, 30),
        (site.ec(Curve::P521)?, 30),
        (site.ec(Curve::P256K)?, 30),
    ] {
        let public = site.public_key(&key)?;
        let task = Task::new(&program).env("OPENSSL_CONF", site.path("openssl.cnf"));
        let answers: u32 = task.args([&key, &public]).ok()?.text().trim().parse()?;
        assert!(answers >= least, "{key}: {answers}");
    }
    Ok(())
}

#[test]
fn provider_lists_every_kind_of_algorithm() -> Result<()> {
    let site = Site::shared()?;
    for (what, ours) in [
        ("-key-managers", "EC"),
        ("-signature-algorithms", "ECDSA"),
        ("-asymcipher-algorithms", "RSA"),
        ("-encoders", "structure=PrivateKeyInfo"),
        ("-decoders", "structure=akv"),
        ("-store-loaders", "managedhsm"),
    ] {
        let output = site.openssl().ok(&format!("list {what} -verbose"))?;
        let text = output.text();
        let found = text.lines().any(|line| line.contains("akv_provider") && line.contains(ours));
        assert!(found, "{}", output.describe());
        assert_eq!(output.stderr, "", "{what}");
    }
    Ok(())
}

#[test]
fn key_is_printed_as_text() -> Result<()> {
    let site = Site::shared()?;
    for (key, lines) in [
        (site.rsa(2048)?, ["Private-Key: (2048 bit", "Key: rsa-2048", "Modulus:", "65537"]),
        (site.ec(Curve::P384)?, ["Private-Key: (384 bit", "Key: ec-p-384", "pub:", "secp384r1"]),
    ] {
        let text = site.openssl().ok(&format!("pkey -in {key} -noout -text"))?.text();
        for line in lines {
            assert!(text.contains(line), "no {line:?} in {text}");
        }
    }
    Ok(())
}

fn sign_and_verify(site: &Site, key: &str, public: &str) -> Result<()> {
    let (data, signature) = (site.text("plain.cnf"), site.text("keys.sig"));
    site.openssl().ok(&format!("dgst -sha256 -sign {key} -out {signature} {data}"))?;
    let verify = format!("dgst -sha256 -verify {public} -signature {signature} {data}");
    site.plain().ok(&verify)?;
    Ok(())
}
