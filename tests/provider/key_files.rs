//! Key files: reading, writing, and refused files.

use akv_core::{KeyFile, PublicKey};
use akv_emulator::{Curve, NewKey, Persona};
use akv_tests::{Output, Site};
use anyhow::{Context as _, Result};

/// A key's file, as written by the provider.
fn key_file(site: &Site, reference: &str) -> Result<KeyFile> {
    site.key_file(reference, "written.key")?;
    let file = KeyFile::from_pem(site.read("written.key")?.as_bytes())?;
    file.context("no key file was written")
}

fn write(site: &Site, name: &str, content: impl AsRef<[u8]>) -> Result<String> {
    std::fs::write(site.path(name), content)?;
    Ok(site.text(name))
}

/// Signs with a file and verifies the signature with the vault's public key.
fn signs(site: &Site, file: &str, form: &str, reference: &str) -> Result<()> {
    let (data, signature) = (site.text("plain.cnf"), site.text("file.sig"));
    let public = site.public_key(reference)?;
    site.openssl().ok(&format!(
        "pkeyutl -sign -rawin -digest sha256 -inkey {file} {form} -in {data} -out {signature}"
    ))?;
    site.plain().ok(&format!("dgst -sha256 -verify {public} -signature {signature} {data}"))?;
    Ok(())
}

#[test]
fn every_form_is_read_and_costs_no_request() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    for reference in [site.rsa(2048)?, site.ec(Curve::P256)?, site.ec(Curve::P256K)?] {
        let file = key_file(&site, &reference)?;
        let certificate = site.text("beside.pem");
        site.openssl()
            .ok(&format!("req -x509 -new -key {reference} -subj /CN=x -out {certificate}"))?;
        let beside = format!("{}{}", site.read("beside.pem")?, file.to_pem());
        let windows = file.to_pem().replace('\n', "\r\n");
        for (name, content, form) in [
            ("a.pem", file.to_pem().into_bytes(), ""),
            ("a.der", file.to_der(), "-keyform DER"),
            ("a8.pem", file.to_pkcs8_pem().into_bytes(), ""),
            ("a8.der", file.to_pkcs8_der(), "-keyform DER"),
            ("text.pem", format!("Some text.\n\n{}\nMore.\n", file.to_pem()).into_bytes(), ""),
            ("beside.both", beside.into_bytes(), ""),
            ("windows.pem", windows.into_bytes(), ""),
        ] {
            let path = write(&site, name, content)?;
            site.public_key(&reference)?;
            site.vault().reset_stats();
            signs(&site, &path, form, &reference)
                .with_context(|| format!("{name} of {reference}"))?;
            let stats = site.vault().stats();
            assert_eq!((stats.requests, stats.sign), (1, 1), "{name}: {stats:?}");
        }
    }
    Ok(())
}

#[test]
fn a_file_without_version_or_public_key_is_completed_when_it_is_loaded() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let reference = site.ec(Curve::P256)?;
    let whole = key_file(&site, &reference)?;
    for (bare, label) in [
        (KeyFile::new(&reference.parse()?, None), "no version, no key"),
        (KeyFile::new(&whole.reference().parse()?, None), "no key"),
        (KeyFile::new(&reference.parse()?, whole.public_key().cloned()), "no version"),
    ] {
        for content in [bare.to_pem(), bare.to_pkcs8_pem()] {
            let path = write(&site, "bare.key", content)?;
            site.vault().reset_stats();
            let written = site.openssl().ok(&format!("pkey -in {path}"))?.text();
            assert_eq!(site.vault().stats().get_key, 1, "{label}");
            assert_eq!(KeyFile::from_pem(written.as_bytes())?, Some(whole.clone()), "{label}");
        }
    }
    // A file with another key's public key is refused.
    let other = site.openssl().ok(&format!("pkey -in {} -pubout -outform DER", site.rsa(2048)?))?;
    let other = PublicKey::from_spki_der(&other.stdout)?;
    let wrong = KeyFile::new(&reference.parse()?, Some(other));
    let path = write(&site, "wrong.key", wrong.to_pem())?;
    let output = site.openssl().fails(&format!("pkey -in {path} -noout"))?;
    assert!(output.stderr.contains("public key"), "{}", output.describe());
    Ok(())
}

/// Our error entries in `openssl`'s output.
fn entries(output: &Output) -> Vec<&str> {
    output.stderr.lines().filter(|line| line.contains(":akv_provider:")).collect()
}

#[test]
fn malformed_files_are_refused_and_others_are_left_alone() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let file = key_file(&site, &site.ec(Curve::P256)?)?;
    let der = file.to_der();
    let mut version = der.clone();
    let at = der.windows(3).position(|bytes| bytes == [2, 1, 1]).context("the version")?;
    version[at + 2] = 2;
    let truncated = &der[..der.len() - 7];
    let trailing = [&der[..], b"more"].concat();
    let label = "AKV PRIVATE KEY";
    for (name, content, word) in [
        ("version", version.clone(), "version 2"),
        ("truncated", truncated.to_vec(), "malformed"),
        ("trailing", trailing, "malformed"),
        ("empty", Vec::new(), "malformed"),
        ("long", vec![0x30; 20_000], "long"),
    ] {
        let path = write(&site, "bad.pem", pem(label, &content))?;
        let output = site.openssl().fails(&format!("pkey -in {path} -noout"))?;
        let entries = entries(&output);
        assert_eq!(entries.len(), 1, "{name}: {}", output.describe());
        assert!(entries[0].contains(word), "{name}: {}", entries[0]);
        assert!(entries[0].contains("write it again with"), "{name}: {}", entries[0]);
    }
    // In DER only the content identifies it.
    let path = write(&site, "bad.der", version)?;
    let output = site.openssl().fails(&format!("pkey -in {path} -inform DER -noout"))?;
    assert!(
        entries(&output).iter().all(|entry| entry.contains("version 2")),
        "{}",
        output.describe()
    );

    for (name, content) in [
        ("foreign", pem("PRIVATE KEY", b"\x30\x03\x02\x01\x00")),
        ("other", pem("OTHER PRIVATE KEY", &der)),
        ("nothing", Vec::new()),
        ("text", b"no key at all\n".to_vec()),
        ("binary", vec![0xff; 3000]),
    ] {
        let path = write(&site, "foreign.pem", content)?;
        let output = site.openssl().fails(&format!("pkey -in {path} -noout"))?;
        assert_eq!(entries(&output), Vec::<&str>::new(), "{name}: {}", output.describe());
    }
    assert_eq!(site.vault().stats().sign, 0);
    Ok(())
}

fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect::<Vec<_>>();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n")).into_bytes()
}

#[test]
fn private_keys_are_written_as_key_files_or_not_at_all() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let (rsa, ec) = (site.rsa(2048)?, site.ec(Curve::P384)?);
    for command in [
        format!("rsa -in {rsa}"),
        format!("pkey -in {rsa}"),
        format!("pkey -in {ec}"),
        format!("ec -in {ec}"),
    ] {
        let text = site.openssl().ok(&command)?.text();
        assert!(text.starts_with("-----BEGIN AKV PRIVATE KEY-----"), "{command}: {text}");
    }
    // A request for encryption fails with the reason.
    for command in ["pkey -in", "rsa -in"] {
        let line = format!("{command} {rsa} -aes256 -passout pass:secret");
        let output = site.openssl().fails(&line)?;
        assert!(output.stdout.is_empty(), "{}", output.describe());
        assert!(output.stderr.contains("holds no secret"), "{}", output.describe());
        assert!(!output.describe().contains("BEGIN"), "{}", output.describe());
    }
    for line in [
        format!("ec -in {ec} -aes256 -passout pass:secret"),
        format!("pkey -in {rsa} -outform DER"),
        format!("pkey -in {ec} -outform DER"),
        format!("ec -in {ec} -outform DER"),
        format!("rsa -in {rsa} -outform DER"),
        format!("pkey -in {ec} -traditional"),
        format!("rsa -in {rsa} -traditional"),
        format!("pkcs8 -topk8 -nocrypt -in {ec}"),
        format!("pkcs8 -topk8 -in {ec} -passout pass:secret"),
    ] {
        let output = site.openssl().fails(&line)?;
        assert!(output.stdout.is_empty(), "{}", output.describe());
    }
    Ok(())
}

#[test]
fn public_keys_are_written_as_the_default_provider_writes_them() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    for (reference, commands) in [
        (
            site.rsa(2048)?,
            &[
                "pkey IN -pubout",
                "pkey IN -pubout -outform DER",
                "rsa IN -pubout",
                "rsa IN -RSAPublicKey_out",
                "rsa IN -RSAPublicKey_out -outform DER",
                "rsa IN -noout -modulus",
                "pkey IN -noout -text_pub",
            ][..],
        ),
        (
            site.ec(Curve::P256)?,
            &[
                "pkey IN -pubout",
                "pkey IN -pubout -outform DER",
                "ec IN -pubout",
                "ec IN -param_out",
                "pkey IN -noout -text_pub",
            ],
        ),
    ] {
        let (file, public) = (site.key_file(&reference, "same.key")?, site.public_key(&reference)?);
        for command in commands {
            let theirs = command.replace("IN", &format!("-pubin -in {public}"));
            let expected = site.plain().ok(&theirs)?;
            for input in [&reference, &file] {
                let line = command.replace("IN", &format!("-in {input}"));
                let output = site.openssl().ok(&line)?;
                if command.contains("-text_pub") {
                    assert_eq!(unbroken(&output), unbroken(&expected), "{line}");
                } else {
                    assert!(output.stdout == expected.stdout, "{line}: {}", output.describe());
                }
            }
        }
    }
    Ok(())
}

/// Text without parts that differ between releases: the size, the length of lines, and the sign of
/// a modulus.
fn unbroken(output: &Output) -> String {
    let text = output.text().replace(':', "").split_whitespace().collect::<String>();
    let (kind, rest) = text.split_once('(').unwrap_or_default();
    let (_, numbers) = rest.split_once(')').unwrap_or_default();
    format!("{kind}{}", numbers.replacen("Modulus00", "Modulus", 1))
}

#[test]
fn text_says_where_the_key_is() -> Result<()> {
    let vault = Site::start(Persona::Vault)?;
    vault.vault().create_key(NewKey::rsa("hard", 2048).hsm(true))?;
    let hsm = Site::start(Persona::ManagedHsm)?;
    let told = |site: &Site, line: &str| -> Result<String> { Ok(site.openssl().ok(line)?.text()) };
    let (soft, hard, far) =
        (vault.ec(Curve::P256)?, "vault:testvault:hard".to_owned(), hsm.rsa(2048)?);
    let file = vault.key_file(&soft, "soft.key")?;
    let far_file = hsm.key_file(&far, "far.key")?;
    for (site, line, place, protected) in [
        (&vault, format!("pkey -noout -text -in {soft}"), "Key Vault", "no"),
        (&vault, format!("ec -noout -text -in {soft}"), "Key Vault", "no"),
        (&vault, format!("rsa -noout -text -in {hard}"), "Key Vault", "yes"),
        (
            &vault,
            format!("pkey -noout -text -in {file}"),
            "Key Vault",
            "not stated in the key file",
        ),
        (&hsm, format!("rsa -noout -text -in {far}"), "Managed HSM", "yes"),
        (&hsm, format!("pkey -noout -text -in {far_file}"), "Managed HSM", "yes"),
    ] {
        let text = told(site, &line)?;
        let has = |wanted: String| text.lines().any(|found| found == wanted);
        assert!(has(format!("Held in: Azure {place} (cannot be exported)")), "{line}: {text}");
        assert!(has(format!("Hardware-protected: {protected}")), "{line}: {text}");
        assert!(has("Vault: testvault".into()) && text.contains("\nVersion: "), "{line}: {text}");
    }
    let text = told(&vault, &format!("pkey -noout -text_pub -in {soft}"))?;
    assert!(!text.contains("Vault:"), "{text}");
    Ok(())
}
