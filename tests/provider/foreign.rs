//! Keys that are not ours work as if the provider were not there.

use akv_emulator::{Curve, Persona};
use akv_tests::{OpenSsl, Site, Task, cc};
use anyhow::Result;

#[test]
fn other_key_files_are_left_alone() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.text("foreign.key");
    let (data, signature) = (site.text("plain.cnf"), site.text("foreign.sig"));
    let certificate = site.text("foreign.pem");
    for options in ["RSA -pkeyopt rsa_keygen_bits:2048", "EC -pkeyopt ec_paramgen_curve:P-256"] {
        site.openssl().ok(&format!("genpkey -algorithm {options} -out {key}"))?;
        let text = site.read("foreign.key")?;
        assert!(text.starts_with("-----BEGIN PRIVATE KEY-----"), "a foreign key stays PKCS#8");
        for properties in ["", "-propquery ?provider=akv_provider"] {
            site.openssl().ok(&format!(
                "req -x509 -new -key {key} -subj /CN=foreign {properties} -out {certificate}"
            ))?;
            site.plain().ok(&format!("verify -CAfile {certificate} {certificate}"))?;
        }
        site.openssl().ok(&format!("dgst -sha256 -sign {key} -out {signature} {data}"))?;
        site.plain().ok(&format!("dgst -sha256 -prverify {key} -signature {signature} {data}"))?;
    }
    assert_eq!(site.vault().stats().connections, 0);
    Ok(())
}

/// A configuration in which our provider comes before the default one.
pub(crate) fn ours_first(site: &Site) -> Result<OpenSsl> {
    let (default, ours) = ("default = default_provider\n", "akv_provider = akv_provider\n");
    let text = site.read("openssl.cnf")?;
    let swapped = text.replace(&format!("{default}{ours}"), &format!("{ours}{default}"));
    assert_ne!(text, swapped);
    std::fs::write(site.path("ours-first.cnf"), swapped)?;
    Ok(OpenSsl::new(site.path("ours-first.cnf"), site.folder()))
}

#[test]
fn a_host_makes_keys_of_its_own() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let program = cc::compile("provider/own_keys", site.folder())?;
    for reference in [site.ec(Curve::P256)?, site.rsa(2048)?] {
        let file = site.key_file(&reference, "own.key")?;
        for openssl in [site.openssl(), ours_first(&site)?] {
            for key in [&reference, &file] {
                let task = Task::new(&program).env("OPENSSL_CONF", openssl.config());
                let output = task.arg(key).ok()?;
                assert_eq!(output.text().trim(), "10", "{}", output.describe());
            }
        }
    }
    Ok(())
}

#[test]
fn other_keys_are_left_alone_in_any_order_of_providers() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let openssl = ours_first(&site)?;
    let (key, signature, data) =
        (site.text("other.key"), site.text("other.sig"), site.text("plain.cnf"));
    let public = site.text("other.pub");
    // Cases that our verification does not support: other curves, a separate mask digest for PSS.
    for (options, sign) in [
        ("EC -pkeyopt ec_paramgen_curve:brainpoolP256r1", ""),
        ("EC -pkeyopt ec_paramgen_curve:secp224r1", ""),
        (
            "RSA -pkeyopt rsa_keygen_bits:2048",
            "-sigopt rsa_padding_mode:pss -sigopt rsa_mgf1_md:sha1",
        ),
    ] {
        openssl.ok(&format!("genpkey -algorithm {options} -out {key}"))?;
        openssl.ok(&format!("pkey -in {key} -pubout -out {public}"))?;
        openssl.ok(&format!("dgst -sha256 -sign {key} {sign} -out {signature} {data}"))?;
        openssl
            .ok(&format!("dgst -sha256 -verify {public} {sign} -signature {signature} {data}"))?;
    }
    let vault = site.ec(Curve::P256)?;
    let certificate = site.text("ours-first.pem");
    openssl.ok(&format!("req -x509 -new -key {vault} -subj /CN=first -out {certificate}"))?;
    site.plain().ok(&format!("verify -CAfile {certificate} {certificate}"))?;
    Ok(())
}

#[test]
fn static_libcrypto_signs_with_keys_of_the_vault() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let program = cc::compile_static("provider/sign_many", site.folder())?;
    for reference in [site.ec(Curve::P256)?, site.rsa(2048)?] {
        let task = Task::new(&program).env("OPENSSL_CONF", site.path("openssl.cnf"));
        task.args([&reference, "20", "2"]).ok()?;
    }
    assert_eq!(site.vault().stats().sign, 44, "twenty and two to warm up, with each key");
    Ok(())
}
