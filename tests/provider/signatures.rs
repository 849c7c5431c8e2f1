//! Signatures with every key and digest verify, and behave as with the default provider: the same
//! results for the same calls.

use akv_emulator::{Curve, Persona};
use akv_tests::{Site, Task, cc};
use anyhow::{Context as _, Result};

/// A key of the default provider, like the one in the vault.
fn own(site: &Site, options: &str) -> Result<String> {
    let path = site.text("own.key");
    site.plain().ok(&format!("genpkey -algorithm {options} -out {path}"))?;
    Ok(path)
}

/// Keys in the vault, and the options for similar keys.
fn keys(site: &Site) -> Result<Vec<(String, &'static str)>> {
    Ok(vec![
        (site.rsa(2048)?, "RSA -pkeyopt rsa_keygen_bits:2048"),
        (site.ec(Curve::P256)?, "EC -pkeyopt ec_paramgen_curve:P-256"),
        (site.ec(Curve::P384)?, "EC -pkeyopt ec_paramgen_curve:P-384"),
        (site.ec(Curve::P521)?, "EC -pkeyopt ec_paramgen_curve:P-521"),
        (site.ec(Curve::P256K)?, "EC -pkeyopt ec_paramgen_curve:secp256k1"),
    ])
}

#[test]
fn context_parameters_match_the_default_provider() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let program = cc::compile("provider/signature_params", site.folder())?;
    for (key, options) in keys(&site)? {
        let (file, own) = (site.key_file(&key, "asked.key")?, own(&site, options)?);
        site.vault().reset_stats();
        let task = Task::new(&program).env("OPENSSL_CONF", site.path("openssl.cnf"));
        let output = task.args([&file, &own]).ok()?;
        let looked_at: usize = output.text().trim().parse().context("a number")?;
        assert!(looked_at > 100, "{key}: {looked_at}");
        assert_eq!(site.vault().stats().requests, 0, "queries send no request");
    }
    Ok(())
}

/// Signs with every option; unsupported ones are refused before any request.
fn sign_with_everything(persona: Persona) -> Result<()> {
    let site = Site::start(persona)?;
    let program = cc::compile("provider/signature_matrix", site.folder())?;
    let kind = if persona == Persona::Vault { "vault" } else { "hsm" };
    for (key, options) in keys(&site)? {
        let (file, own) = (site.key_file(&key, "signing.key")?, own(&site, options)?);
        let public = site.public_key(&key)?;
        site.vault().reset_stats();
        let task = Task::new(&program).env("OPENSSL_CONF", site.path("openssl.cnf"));
        let output = task.args([&file, &own, &public, kind]).ok()?;
        let made: u64 = output.text().trim().parse().context("a number")?;
        assert!(made > 20, "{key}: {made}");
        let stats = site.vault().stats();
        assert_eq!((stats.sign, stats.requests), (made, made), "{key}: {stats:?}");
    }
    Ok(())
}

#[test]
fn a_vault_signs_with_every_digest_or_says_why_not() -> Result<()> {
    sign_with_everything(Persona::Vault)
}

#[test]
fn a_managed_hsm_signs_with_its_digests_and_says_why_not_with_others() -> Result<()> {
    sign_with_everything(Persona::ManagedHsm)
}

/// The digests for ECDSA.
const SHA2: [&str; 6] = ["sha224", "sha256", "sha384", "sha512", "sha512-224", "sha512-256"];

/// The service's paddings for RSA: PKCS#1 v1.5, and PSS with a salt as long as the digest.
const PADDINGS: [(&str, &str); 3] = [
    ("pkcs1", ""),
    ("pss", "-sigopt rsa_padding_mode:pss"),
    ("pss-digest", "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest"),
];

/// Signs with `openssl dgst`; plain OpenSSL verifies with the exported public key.
fn sign_and_verify(site: &Site, key: &str, digest: &str, padding: (&str, &str)) -> Result<()> {
    let (name, options) = padding;
    let public = site.public_key(key)?;
    let signature = site.text(&format!("{}-{digest}-{name}.sig", key.replace(':', "-")));
    let data = site.text("plain.cnf");
    site.openssl().ok(&format!("dgst -{digest} -sign {key} {options} -out {signature} {data}"))?;
    let verify = format!("dgst -{digest} -verify {public} {options} -signature {signature} {data}");
    assert_eq!(site.plain().ok(&verify)?.text().trim(), "Verified OK");
    Ok(())
}

fn rsa(bits: usize) -> Result<()> {
    let site = Site::shared()?;
    let key = site.rsa(bits)?;
    for digest in ["sha256", "sha384", "sha512"] {
        for padding in PADDINGS {
            sign_and_verify(&site, &key, digest, padding)?;
        }
    }
    Ok(())
}

#[test]
fn rsa_2048_signs_pkcs1_and_pss() -> Result<()> {
    rsa(2048)
}

#[test]
fn rsa_3072_signs_pkcs1_and_pss() -> Result<()> {
    rsa(3072)
}

#[test]
fn rsa_4096_signs_pkcs1_and_pss() -> Result<()> {
    rsa(4096)
}

fn ec(curve: Curve) -> Result<()> {
    let site = Site::shared()?;
    let key = site.ec(curve)?;
    for digest in SHA2 {
        sign_and_verify(&site, &key, digest, ("ecdsa", ""))?;
    }
    Ok(())
}

#[test]
fn ecdsa_on_p_256_signs_with_every_digest() -> Result<()> {
    ec(Curve::P256)
}

#[test]
fn ecdsa_on_p_384_signs_with_every_digest() -> Result<()> {
    ec(Curve::P384)
}

#[test]
fn ecdsa_on_p_521_signs_with_every_digest() -> Result<()> {
    ec(Curve::P521)
}

#[test]
fn ecdsa_on_p_256k_signs_with_every_digest() -> Result<()> {
    ec(Curve::P256K)
}
