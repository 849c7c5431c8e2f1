//! Symmetric keys as opaque keys, which OpenSSL supports from 3.5 on: `openssl enc`, `skeyutl`, and
//! a C program.

use std::fs;

use akv_emulator::{NewKey, Persona};
use akv_tests::{Installation, Site, Task, cc};
use anyhow::Result;

use crate::{
    foreign::ours_first,
    symmetric::{Hsm, entry, secret},
};

/// A cipher of ours.
const ENC: &str = "enc -akv-aes-256-cbc -K 00 -iv 00";

const IV: &str = "000102030405060708090a0b0c0d0e0f";

/// `None` with an OpenSSL older than this release, which must not have this command.
fn start(release: (u32, u32), unknown: &str) -> Result<Option<Hsm>> {
    let hsm = Hsm::start()?;
    if version()? >= release {
        return Ok(Some(hsm));
    }
    let failed = hsm.site.openssl().fails(unknown)?;
    assert!(!failed.stderr.contains(":akv_provider:"), "{}", failed.describe());
    Ok(None)
}

/// The option that names a key in `openssl enc`.
fn option(hsm: &Hsm, bits: usize) -> String {
    format!("-skeymgmt AKV-AES -skeyopt akv-key:{}", hsm.site.reference(&format!("aes-{bits}")))
}

/// The first two numbers of OpenSSL's version.
fn version() -> Result<(u32, u32)> {
    let version = Installation::selected().version()?;
    let mut numbers = version.split('.').map(str::parse);
    Ok((numbers.next().expect("a number")?, numbers.next().expect("a number")?))
}

#[test]
fn enc_matches_the_default_provider() -> Result<()> {
    let Some(hsm) = start((3, 5), ENC)? else { return Ok(()) };
    let openssl = hsm.site.openssl();
    for bits in [128, 192, 256] {
        let (key, raw) = (option(&hsm, bits), hex::encode(secret(bits)));
        for (len, more) in [(0, ""), (1, ""), (16, ""), (48, "-nopad"), (9_999, "")] {
            let input = hsm.file("plain.bin", &vec![0x61; len])?;
            let output = hsm.site.text("cipher.bin");
            openssl.ok(&format!(
                "enc -e -akv-aes-{bits}-cbc {key} -iv {IV} {more} -in {input} -out {output}"
            ))?;
            let expected = hsm
                .site
                .plain()
                .ok(&format!("enc -e -aes-{bits}-cbc -K {raw} -iv {IV} {more} -in {input}"))?;
            assert_eq!(fs::read(&output)?, expected.stdout, "{bits} {len}");
            let back = openssl
                .ok(&format!("enc -d -akv-aes-{bits}-cbc {key} -iv {IV} {more} -in {output}"))?;
            assert_eq!(back.stdout, vec![0x61; len], "{bits} {len}");
        }
        let (cek, wrapped) = (hsm.file("cek.bin", &[7; 32])?, hsm.site.text("wrapped.bin"));
        openssl.ok(&format!("enc -e -akv-aes-{bits}-wrap {key} -in {cek} -out {wrapped}"))?;
        let expected = hsm
            .site
            .plain()
            .ok(&format!("enc -e -id-aes{bits}-wrap -K {raw} -iv a6a6a6a6a6a6a6a6 -in {cek}"))?;
        assert_eq!(fs::read(&wrapped)?, expected.stdout, "{bits}");
        let back = openssl.ok(&format!("enc -d -akv-aes-{bits}-wrap {key} -in {wrapped}"))?;
        assert_eq!(back.stdout, [7; 32]);
    }
    Ok(())
}

#[test]
fn failures_are_reported_with_their_reason() -> Result<()> {
    let Some(hsm) = start((3, 5), ENC)? else { return Ok(()) };
    let openssl = hsm.site.openssl();
    let (input, key) = (hsm.file("plain.bin", &[0x61; 40])?, option(&hsm, 256));
    let missing = hsm.site.reference("missing");
    for (line, word) in [
        (format!("-akv-aes-256-cbc -K {} -iv {IV}", hex::encode(secret(256))), "opaque key"),
        (format!("-akv-aes-128-cbc {key} -iv {IV}"), "A128CBC"),
        (format!("-akv-aes-256-cbc {key} -iv {IV} -nopad"), "8 are left over"),
        (format!("-d -akv-aes-256-cbc {key} -iv {IV}"), "8 are left over"),
        (format!("-akv-aes-256-wrap {key} -iv 0000000000000000"), "initial value"),
        (format!("-d -akv-aes-256-wrap {key}"), "400"),
        (format!("-akv-aes-256-cbc -skeymgmt AKV-AES -skeyopt akv-key:{missing} -iv {IV}"), "404"),
        (
            format!("-akv-aes-256-cbc -skeymgmt AKV-AES -skeyopt akv-key:nonsense -iv {IV}"),
            "nonsense",
        ),
    ] {
        let failed = openssl.fails(&format!("enc {line} -in {input} -out {input}.out"))?;
        let said = entry(&failed);
        assert!(said.contains(word), "no {word:?} in {said}");
    }
    // Ciphers of other providers cannot use the key.
    let failed = openssl.fails(&format!("enc -aes-256-cbc {key} -iv {IV} -in {input}"))?;
    assert!(!failed.stderr.is_empty());
    Ok(())
}

#[test]
fn enc_accepts_a_reference() -> Result<()> {
    let Some(hsm) = start((4, 0), "enc -skeyuri akv:")? else { return Ok(()) };
    let (openssl, input) = (hsm.site.openssl(), hsm.file("plain.bin", b"forty-two")?);
    let (uri, raw) = (hsm.site.reference("aes-192"), hex::encode(secret(192)));
    let ours = openssl.ok(&format!("enc -akv-aes-192-cbc -skeyuri {uri} -iv {IV} -in {input}"))?;
    let theirs = hsm.site.plain().ok(&format!("enc -aes-192-cbc -K {raw} -iv {IV} -in {input}"))?;
    assert_eq!(ours.stdout, theirs.stdout);
    let pair = hsm.site.rsa(2048)?;
    let failed =
        openssl.fails(&format!("enc -akv-aes-192-cbc -skeyuri {pair} -iv {IV} -in {input}"))?;
    assert!(entry(&failed).contains("not a symmetric key"), "{}", failed.describe());
    Ok(())
}

#[test]
fn skeyutl_makes_keys() -> Result<()> {
    let Some(hsm) = start((3, 6), "skeyutl -genkey")? else { return Ok(()) };
    let openssl = hsm.site.openssl();
    let name = hsm.site.reference("made");
    let make = format!("skeyutl -genkey -skeymgmt AKV-AES -skeyopt akv-name:{name}");
    let made = openssl.ok(&format!("{make} -skeyopt key-length:24 -skeyopt akv-tags:owner=me"))?;
    let text = made.text();
    assert!(text.contains(&format!("{name}:")) && text.contains("akv_provider"), "{text}");
    let input = hsm.file("plain.bin", &[0x61; 16])?;
    let key = format!("-skeymgmt AKV-AES -skeyopt akv-key:{name}");
    openssl.ok(&format!("enc -akv-aes-192-cbc {key} -iv {IV} -in {input}"))?;
    for (line, word) in [
        (make.clone(), "exists already"),
        ("skeyutl -genkey -skeymgmt AKV-AES".to_owned(), "akv-name:managedHsm"),
        (format!("{make}2 -skeyopt key-length:17"), "17 bytes"),
        (
            "skeyutl -genkey -skeymgmt AKV-AES -skeyopt akv-name:vault:myVault:k".to_owned(),
            "Managed HSM",
        ),
    ] {
        let said = entry(&openssl.fails(&line)?);
        assert!(said.contains(word), "no {word:?} in {said}");
    }
    Ok(())
}

/// Older releases do not support opaque keys, and get no ciphers.
#[test]
fn only_releases_with_opaque_keys_are_offered_ciphers() -> Result<()> {
    let site = Site::start(Persona::ManagedHsm)?;
    let listed = site.openssl().ok("list -cipher-algorithms -provider akv_provider")?.text();
    assert_eq!(listed.contains("AKV-AES-256-CBC"), version()? >= (3, 5), "{listed}");
    Ok(())
}

/// A program with the bytes of a key gets the default provider's cipher, regardless of order and
/// preference.
#[test]
fn other_ciphers_are_left_alone() -> Result<()> {
    let site = Site::start(Persona::ManagedHsm)?;
    let (raw, input) = (hex::encode(secret(256)), site.text("plain.cnf"));
    let key = site.text("foreign.key");
    for openssl in [site.openssl(), ours_first(&site)?] {
        for preference in ["", "-propquery ?provider=akv_provider"] {
            let line = format!("enc -aes-256-cbc -K {raw} -iv {IV} -in {input}");
            let theirs = site.plain().ok(&line)?;
            assert_eq!(openssl.ok(&format!("{line} {preference}"))?.stdout, theirs.stdout);
            site.plain().ok(&format!(
                "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes-256-cbc \
                 -pass pass:secret -out {key}"
            ))?;
            openssl.ok(&format!("pkey -in {key} -passin pass:secret -noout {preference}"))?;
        }
    }
    assert_eq!(site.vault().stats().connections, 0);
    Ok(())
}

#[test]
fn libcrypto_uses_them_as_those_of_other_providers() -> Result<()> {
    let site = Site::start(Persona::ManagedHsm)?;
    site.vault().create_key(NewKey::oct("aes", 256).secret(secret(256)))?;
    let program = cc::compile("provider/symmetric", site.folder())?;
    for openssl in [site.openssl(), ours_first(&site)?] {
        let task = Task::new(&program).env("OPENSSL_CONF", openssl.config());
        let output = task.args([site.reference("aes"), hex::encode(secret(256))]).ok()?;
        assert_eq!((output.text().trim(), output.stderr.as_str()), ("fine", ""));
    }
    Ok(())
}
