//! `openssl pkeyutl`: digests and whole messages.

use akv_emulator::Curve;
use akv_tests::Site;
use anyhow::Result;

/// Writes the digest of the site's data, as binary.
fn digest(site: &Site, algorithm: &str, file: &str) -> Result<String> {
    let (data, path) = (site.text("plain.cnf"), site.text(file));
    site.plain().ok(&format!("dgst -{algorithm} -binary -out {path} {data}"))?;
    Ok(path)
}

#[test]
fn signs_ready_digests_with_rsa() -> Result<()> {
    let site = Site::shared()?;
    let key = site.rsa(2048)?;
    let public = site.public_key(&key)?;
    for algorithm in ["sha256", "sha384", "sha512"] {
        let input = digest(&site, algorithm, &format!("rsa-{algorithm}.bin"))?;
        for padding in ["pkcs1", "pss -pkeyopt rsa_pss_saltlen:digest", "pss"] {
            let signature = site.text("pkeyutl-rsa.sig");
            let options =
                format!("-pkeyopt digest:{algorithm} -pkeyopt rsa_padding_mode:{padding}");
            site.openssl().ok(&format!(
                "pkeyutl -sign -inkey {key} -in {input} {options} -out {signature}"
            ))?;
            let verify = format!("-in {input} -sigfile {signature} {options}");
            site.plain().ok(&format!("pkeyutl -verify -pubin -inkey {public} {verify}"))?;
            let asked = site.vault().stats().operations.get("verify").copied();
            site.openssl().ok(&format!("pkeyutl -verify -inkey {key} {verify}"))?;
            assert_eq!(site.vault().stats().operations.get("verify").copied(), asked, "local");
        }
    }
    Ok(())
}

#[test]
fn signs_ready_digests_with_every_curve() -> Result<()> {
    let site = Site::shared()?;
    for curve in [Curve::P256, Curve::P384, Curve::P521, Curve::P256K] {
        let key = site.ec(curve)?;
        let public = site.public_key(&key)?;
        for algorithm in ["sha224", "sha256", "sha512"] {
            let input = digest(&site, algorithm, &format!("ec-{algorithm}.bin"))?;
            let signature = site.text("pkeyutl-ec.sig");
            site.openssl()
                .ok(&format!("pkeyutl -sign -inkey {key} -in {input} -out {signature}"))?;
            let verify = format!("-in {input} -sigfile {signature}");
            site.plain().ok(&format!("pkeyutl -verify -pubin -inkey {public} {verify}"))?;
            site.openssl().ok(&format!("pkeyutl -verify -inkey {key} {verify}"))?;
        }
    }
    Ok(())
}

#[test]
fn signs_whole_messages() -> Result<()> {
    let site = Site::shared()?;
    let (data, signature) = (site.text("plain.cnf"), site.text("pkeyutl-raw.sig"));
    for key in [site.rsa(2048)?, site.ec(Curve::P384)?] {
        let public = site.public_key(&key)?;
        let options = format!("-rawin -digest sha384 -in {data}");
        site.openssl().ok(&format!("pkeyutl -sign -inkey {key} {options} -out {signature}"))?;
        site.plain().ok(&format!(
            "pkeyutl -verify -pubin -inkey {public} {options} -sigfile {signature}"
        ))?;
    }
    Ok(())
}

#[test]
fn an_invalid_signature_does_not_verify() -> Result<()> {
    let site = Site::shared()?;
    for key in [site.rsa(2048)?, site.ec(Curve::P256)?] {
        let input = digest(&site, "sha256", "right.bin")?;
        let other = site.text("wrong.bin");
        std::fs::write(&other, [7; 32])?;
        let signature = site.text("wrong.sig");
        let options = match key.contains("rsa") {
            true => "-pkeyopt digest:sha256",
            false => "",
        };
        site.openssl()
            .ok(&format!("pkeyutl -sign -inkey {key} -in {input} {options} -out {signature}"))?;
        let failed = site.openssl().fails(&format!(
            "pkeyutl -verify -inkey {key} -in {other} {options} -sigfile {signature}"
        ))?;
        assert!(failed.text().contains("Signature Verification Failure"), "{}", failed.describe());
    }
    Ok(())
}
