//! Every key, every digest: the signature verifies with the exported public key.

use akv_emulator::Curve;
use akv_tests::Site;
use anyhow::Result;

const SHA2: [&str; 6] = ["sha224", "sha256", "sha384", "sha512", "sha512-224", "sha512-256"];

/// The service's paddings for RSA: PKCS#1 v1.5, and PSS with a salt as long as the digest.
const PADDINGS: [(&str, &str); 3] = [
    ("pkcs1", ""),
    ("pss", "-sigopt rsa_padding_mode:pss"),
    ("pss-digest", "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest"),
];

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
fn rsa_2048() -> Result<()> {
    rsa(2048)
}

#[test]
fn rsa_3072() -> Result<()> {
    rsa(3072)
}

#[test]
fn rsa_4096() -> Result<()> {
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
fn p_256_with_every_digest() -> Result<()> {
    ec(Curve::P256)
}

#[test]
fn p_384_with_every_digest() -> Result<()> {
    ec(Curve::P384)
}

#[test]
fn p_521_with_every_digest() -> Result<()> {
    ec(Curve::P521)
}

#[test]
fn p_256k_with_every_digest() -> Result<()> {
    ec(Curve::P256K)
}
