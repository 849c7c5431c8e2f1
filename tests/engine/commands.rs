//! Commands of `openssl` with `-engine e_akv`.

use akv_emulator::{Curve, Persona};
use akv_tests::{
    Site,
    engine::{KEY, certificate, is_1_1_1, openssl, plain, public_key, replace},
};
use anyhow::Result;

const CURVES: [Curve; 4] = [Curve::P256, Curve::P384, Curve::P521, Curve::P256K];

/// Writes data to sign, and its digest as binary.
fn message(site: &Site, digest: &str) -> Result<(String, String)> {
    let (data, path) = (site.text("vault-ca.pem"), site.path(&format!("{digest}.bin")));
    replace(&path, &plain(site)?.ok(&format!("dgst -{digest} -binary {data}"))?.stdout)?;
    Ok((data, path.display().to_string()))
}

#[test]
fn commands_of_the_predecessor_work_unchanged() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let (engine, plain) = (openssl(&site)?, plain(&site)?);
    let (_, hash) = message(&site, "sha256")?;
    let pss = "-pkeyopt rsa_padding_mode:pss -pkeyopt digest:sha256";
    for (key, options) in [(site.rsa(2048)?, pss), (site.ec(Curve::P256)?, "")] {
        let (cert, public, sig) =
            (site.text("cert.pem"), site.text("public.pem"), site.text("sig"));
        // A different file from the one that loaded the engine: `req` reads it again.
        let config = plain.config().display().to_string();
        engine.ok(&format!(
            "req -new -x509 -config {config} -engine e_akv -keyform engine -key {key} \
             -subj /CN=predecessor -out {cert}"
        ))?;
        plain.ok(&format!("verify -CAfile {cert} {cert}"))?;
        let text = plain.ok(&format!("x509 -pubkey -noout -in {cert}"))?.text();
        std::fs::write(&public, &text)?;
        let given = engine.ok(&format!("pkey -engine e_akv -inform engine -in {key} -pubout"))?;
        assert_eq!(given.text(), text, "the certificate has the key's public half");
        engine.ok(&format!(
            "pkeyutl -engine e_akv -sign -keyform engine -inkey {key} -in {hash} -out {sig} {options}"
        ))?;
        let verify = options.replace("digest", "rsa_pss_saltlen:digest -pkeyopt digest");
        plain.ok(&format!(
            "pkeyutl -verify -pubin -inkey {public} -in {hash} -sigfile {sig} {verify}"
        ))?;
    }
    Ok(())
}

#[test]
fn reference_of_every_form_names_the_key() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let engine = openssl(&site)?;
    let key = site.ec(Curve::P256)?;
    let name = key.rsplit(':').next().unwrap_or_default();
    let expected = public_key(&site, &key)?;
    let expected = std::fs::read_to_string(expected)?;
    for reference in [
        key.clone(),
        format!("engine:e_akv:{key}"),
        format!("pkcs11:{key}"),
        format!("akv:type=vault,vault=testvault,name={name}"),
        format!("https://testvault.vault.azure.net/keys/{name}"),
        format!("akv:https://testvault.vault.azure.net/keys/{name}"),
    ] {
        for command in ["pkey -inform engine -pubout", "pkey -inform engine -pubin -pubout"] {
            let got = engine.ok(&format!("{command} -engine e_akv -in {reference}"))?;
            assert_eq!(got.text(), expected, "{command} {reference}");
        }
    }
    Ok(())
}

#[test]
fn signatures_of_any_digest_verify_with_rsa_and_every_curve() -> Result<()> {
    let site = Site::shared()?;
    let (engine, plain) = (openssl(&site)?, plain(&site)?);
    let mut keys = vec![site.rsa(2048)?, site.rsa(3072)?];
    for curve in CURVES {
        keys.push(site.ec(curve)?);
    }
    let sig = site.text("any.sig");
    for key in keys {
        let public = public_key(&site, &key)?;
        for digest in ["sha1", "sha224", "sha256", "sha384", "sha512", "sha3-256"] {
            let (data, hash) = message(&site, digest)?;
            engine.ok(&format!("dgst -{digest} {KEY} -sign {key} -out {sig} {data}"))?;
            plain.ok(&format!("dgst -{digest} -verify {public} -signature {sig} {data}"))?;
            let option = format!("-pkeyopt digest:{digest}");
            engine
                .ok(&format!("pkeyutl -sign {KEY} -inkey {key} -in {hash} {option} -out {sig}"))?;
            plain.ok(&format!(
                "pkeyutl -verify -pubin -inkey {public} -in {hash} {option} -sigfile {sig}"
            ))?;
        }
    }
    Ok(())
}

#[test]
fn pss_salt_is_as_long_as_the_digest() -> Result<()> {
    let site = Site::shared()?;
    let (engine, plain) = (openssl(&site)?, plain(&site)?);
    let key = site.rsa(2048)?;
    let (public, sig, cert) =
        (public_key(&site, &key)?, site.text("pss.sig"), site.text("pss.pem"));
    for (digest, len) in [("sha256", 32), ("sha384", 48), ("sha512", 64)] {
        let (data, _) = message(&site, digest)?;
        for salt in
            ["", "-sigopt rsa_pss_saltlen:digest", &format!("-sigopt rsa_pss_saltlen:{len}")]
        {
            let options = format!("-{digest} -sigopt rsa_padding_mode:pss {salt}");
            engine.ok(&format!("dgst {options} {KEY} -sign {key} -out {sig} {data}"))?;
            let verify = format!("-{digest} -sigopt rsa_padding_mode:pss");
            plain.ok(&format!(
                "dgst {verify} -sigopt rsa_pss_saltlen:{len} -verify {public} -signature {sig} {data}"
            ))?;
            engine.ok(&format!(
                "req -new -x509 {KEY} -key {key} -subj /CN=pss {options} -out {cert}"
            ))?;
            // The parameters in the certificate are those of the signature.
            plain.ok(&format!("verify -CAfile {cert} {cert}"))?;
            let text = plain.ok(&format!("x509 -in {cert} -noout -text"))?.text();
            let hexadecimal = format!("Salt Length: 0x{len:X}");
            assert!(text.contains(&hexadecimal), "{text}");
        }
    }
    Ok(())
}

#[test]
fn certificates_requests_and_cms_verify() -> Result<()> {
    let site = Site::shared()?;
    let (engine, plain) = (openssl(&site)?, plain(&site)?);
    let (csr, issued, cms) = (site.text("engine.csr"), site.text("issued.pem"), site.text("cms"));
    let (data, _) = message(&site, "sha256")?;
    for (key, name) in [(site.rsa(2048)?, "x509-rsa"), (site.ec(Curve::P384)?, "x509-ec")] {
        let ca = certificate(&site, &key, name)?;
        engine.ok(&format!("req -new {KEY} -key {key} -subj /CN=leaf -out {csr}"))?;
        plain.ok(&format!("req -in {csr} -verify -noout"))?;
        engine.ok(&format!(
            "x509 -req -in {csr} -CA {ca} -CAkey {key} -CAkeyform engine -engine e_akv \
             -set_serial 7 -out {issued}"
        ))?;
        plain.ok(&format!("verify -CAfile {ca} {issued}"))?;
        let options = format!("{KEY} -inkey {key} -signer {ca} -in {data} -outform DER -out {cms}");
        engine.ok(&format!("cms -sign -binary -nodetach {options}"))?;
        let verify = format!("cms -verify -in {cms} -inform DER -CAfile {ca} -purpose any");
        assert_eq!(plain.ok(&verify)?.stdout, std::fs::read(&data)?);
        if name == "x509-rsa" {
            engine.ok(&format!(
                "cms -sign -binary -nodetach {options} -keyopt rsa_padding_mode:pss"
            ))?;
            assert_eq!(plain.ok(&verify)?.stdout, std::fs::read(&data)?);
            for padding in ["", "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256"] {
                plain.ok(&format!(
                    "cms -encrypt -in {data} -binary -outform DER -out {cms} -recip {ca} {padding}"
                ))?;
                let opened = engine.ok(&format!(
                    "cms -decrypt {KEY} -inkey {key} -recip {ca} -in {cms} -inform DER"
                ))?;
                assert_eq!(opened.stdout, std::fs::read(&data)?, "{padding}");
            }
        }
    }
    Ok(())
}

#[test]
fn decryption_opens_what_the_public_key_encrypted() -> Result<()> {
    let site = Site::shared()?;
    let (engine, plain) = (openssl(&site)?, plain(&site)?);
    let key = site.rsa(2048)?;
    let public = public_key(&site, &key)?;
    let (data, cipher) = (site.text("engine-secret.txt"), site.text("engine-secret.bin"));
    std::fs::write(&data, "thirty-two bytes of a session key")?;
    for options in [
        "",
        "-pkeyopt rsa_padding_mode:oaep",
        "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256",
    ] {
        // With the public half from the engine, and with the engine's own key.
        for encrypt in [format!("-pubin -inkey {public}"), format!("{KEY} -inkey {key}")] {
            let openssl = if encrypt.starts_with("-pubin") { &plain } else { &engine };
            let before = site.vault().stats().operations.get("encrypt").copied();
            openssl
                .ok(&format!("pkeyutl -encrypt {encrypt} -in {data} {options} -out {cipher}"))?;
            assert_eq!(site.vault().stats().operations.get("encrypt").copied(), before, "local");
            let plain = engine
                .ok(&format!("pkeyutl -decrypt {KEY} -inkey {key} -in {cipher} {options}"))?;
            assert_eq!(plain.text(), "thirty-two bytes of a session key", "{options}");
        }
    }
    Ok(())
}

#[test]
fn verification_is_local_and_correct() -> Result<()> {
    let site = Site::shared()?;
    let engine = openssl(&site)?;
    let (data, hash) = message(&site, "sha256")?;
    for key in [site.rsa(2048)?, site.ec(Curve::P256)?] {
        let sig = site.text("local.sig");
        let option = "-pkeyopt digest:sha256";
        engine.ok(&format!("pkeyutl -sign {KEY} -inkey {key} -in {hash} {option} -out {sig}"))?;
        let asked = site.vault().stats().operations.get("verify").copied();
        let verify = format!("pkeyutl -verify {KEY} -inkey {key} -sigfile {sig} {option}");
        engine.ok(&format!("{verify} -in {hash}"))?;
        let other = site.text("other.bin");
        std::fs::write(&other, [7; 32])?;
        engine.fails(&format!("{verify} -in {other}"))?;
        engine.ok(&format!("pkeyutl -sign {KEY} -inkey {key} -in {hash} {option} -out {sig}"))?;
        engine.ok(&format!(
            "dgst -sha256 -engine e_akv -keyform engine -prverify {key} -signature {sig} {data}"
        ))?;
        assert_eq!(site.vault().stats().operations.get("verify").copied(), asked);
    }
    Ok(())
}

#[test]
fn keys_are_printed_and_never_written() -> Result<()> {
    let site = Site::shared()?;
    let engine = openssl(&site)?;
    for (key, expected) in [(site.rsa(2048)?, "Modulus:"), (site.ec(Curve::P256)?, "prime256v1")] {
        let text =
            engine.ok(&format!("pkey -engine e_akv -inform engine -in {key} -noout -text"))?;
        assert!(text.text().contains(expected), "{}", text.describe());
        let file = site.text("written.key");
        let command = format!("pkey -engine e_akv -inform engine -in {key} -out {file}");
        if is_1_1_1()? && expected == "Modulus:" {
            // A quirk of 1.1.1: it writes modulus and exponent only, which no program can read.
            engine.ok(&command)?;
            engine.fails(&format!("pkey -in {file} -noout"))?;
        } else {
            engine.fails(&command)?;
        }
    }
    Ok(())
}
