//! Key files as found in practice: next to certificates, edited, encrypted. [`crate::key_files`]
//! tests those that the provider writes.

use std::fs;

use akv_core::KeyFile;
use akv_emulator::{Curve, Persona};
use akv_tests::{Output, Site, Task, cc};
use anyhow::{Context as _, Result, ensure};

const PASSPHRASE: &str = "pass phrase";

/// A site with the program that reads keys.
struct Reader {
    site: Site,
    program: std::path::PathBuf,
}

impl Reader {
    fn start() -> Result<Self> {
        let site = Site::start(Persona::Vault)?;
        let program = cc::compile("provider/read_key", site.folder())?;
        Ok(Self { site, program })
    }

    fn task(&self, arguments: &[&str]) -> Task {
        Task::new(&self.program).env("OPENSSL_CONF", self.site.path("openssl.cnf")).args(arguments)
    }

    /// Reads a private key and signs with it.
    fn reads(&self, form: &str, file: &str, passphrase: &str, kind: &str) -> Result<()> {
        let output = self.task(&[form, file, passphrase]).ok()?;
        ensure!(output.text().trim() == kind, "{form} {file}: {}", output.describe());
        Ok(())
    }

    /// Fails by itself.
    fn fails(&self, form: &str, file: &str, passphrase: &str) -> Result<Output> {
        let output = self.task(&[form, file, passphrase]).run()?;
        ensure!(output.status.code() == Some(1), "{form} {file}: {}", output.describe());
        Ok(output)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<String> {
        fs::write(self.site.path(name), content)?;
        Ok(self.site.text(name))
    }

    /// Encrypts PKCS#8, as PEM and as DER.
    fn encrypt(&self, pem: &str) -> Result<(String, String)> {
        let file = self.write("plain.p8", pem)?;
        let out = self.site.text("encrypted");
        self.task(&["encrypt", &file, PASSPHRASE, &out]).ok()?;
        Ok((self.site.read("encrypted.pem")?, format!("{out}.der")))
    }
}

/// A key file, its PKCS#8 form, and its certificate.
fn key(site: &Site, reference: &str) -> Result<(KeyFile, String)> {
    let path = site.key_file(reference, "site.key")?;
    let certificate = site.text("site.crt");
    site.openssl().ok(&format!("req -x509 -new -key {path} -subj /CN=site -out {certificate}"))?;
    let file = KeyFile::from_pem(site.read("site.key")?.as_bytes())?;
    Ok((file.context("a key file")?, site.read("site.crt")?))
}

#[test]
fn a_key_is_found_among_other_blocks_whatever_the_error_queue_holds() -> Result<()> {
    let reader = Reader::start()?;
    let site = &reader.site;
    for (reference, kind) in [(site.rsa(2048)?, "RSA"), (site.ec(Curve::P256)?, "EC")] {
        let (file, certificate) = key(site, &reference)?;
        let (encrypted, _) = reader.encrypt(&file.to_pkcs8_pem())?;
        let parameters = site.plain().ok("ecparam -name prime256v1")?.text();
        let public = site.plain().ok("x509 -pubkey -noout -in site.crt")?.text();
        for key in [file.to_pem(), file.to_pkcs8_pem(), encrypted] {
            for (before, after) in [
                ("", certificate.as_str()),
                (&certificate, ""),
                (&certificate.repeat(3), &certificate),
                (&format!("{public}{certificate}"), ""),
                (&parameters, &certificate),
                ("Bag Attributes\n    friendlyName: site\nKey Attributes: <none>\n", ""),
            ] {
                let path = reader.write("site.pem", format!("{before}{key}{after}"))?;
                for form in ["pem", "stale"] {
                    reader.reads(form, &path, PASSPHRASE, kind).with_context(|| {
                        format!("{form}:\n{}", fs::read_to_string(&path).unwrap_or_default())
                    })?;
                }
                let pass = "-passin file:pass.txt";
                reader.write("pass.txt", PASSPHRASE)?;
                site.openssl().ok(&format!("pkey -in {path} -noout {pass}"))?;
                if !before.contains("CERTIFICATE") && !after.contains("CERTIFICATE") {
                    continue;
                }
                // The certificates can still be read.
                site.openssl().ok(&format!("x509 -in {path} -noout"))?;
                let found = site.openssl().ok(&format!("storeutl -noout {pass} {path}"))?.text();
                let all = format!("{before}{after}").matches("BEGIN CERTIFICATE").count();
                assert_eq!(found.matches(": Certificate").count(), all, "{found}");
            }
        }
    }
    Ok(())
}

/// The first private key of a file is used, whichever provider has it.
#[test]
fn the_first_key_of_a_file_is_used_whichever_provider_has_it() -> Result<()> {
    let reader = Reader::start()?;
    let site = &reader.site;
    let (file, certificate) = key(site, &site.rsa(2048)?)?;
    let own = site.plain().ok("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256")?.text();
    let path = reader.write("both.pem", format!("{certificate}{own}{}", file.to_pem()))?;
    reader.reads("pem", &path, "", "EC")?;
    reader.reads("stale", &path, "", "EC")?;
    let path = reader.write("both.pem", format!("{certificate}{}{own}", file.to_pem()))?;
    reader.reads("pem", &path, "", "RSA")?;
    reader.reads("stale", &path, "", "RSA")?;
    // Without a key the end is found, in a long file too.
    let path = reader.write("none.pem", certificate.repeat(500))?;
    reader.fails("pem", &path, "")?;
    Ok(())
}

#[test]
fn files_that_an_editor_has_touched_are_read() -> Result<()> {
    let reader = Reader::start()?;
    let site = &reader.site;
    let (file, certificate) = key(site, &site.ec(Curve::P256)?)?;
    let mark = "\u{feff}";
    for pem in [file.to_pem(), file.to_pkcs8_pem()] {
        for (name, text) in [
            ("mark", format!("{mark}{pem}")),
            ("mark in the middle", format!("{certificate}{mark}{pem}")),
            ("windows", format!("{mark}{}", pem.replace('\n', "\r\n"))),
            ("spaces", pem.replace('\n', "  \t\n")),
            ("empty lines", format!("\n\n{pem}\n\n")),
            ("no line end", pem.trim_end().to_owned()),
        ] {
            let path = reader.write("edited.pem", text)?;
            reader.reads("pem", &path, "", "EC").context(name)?;
            site.openssl().ok(&format!("pkey -in {path} -noout")).context(name)?;
        }
        let little = pem.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let big = pem.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
        for text in [[&[0xff, 0xfe], &little[..]].concat(), [&[0xfe, 0xff], &big[..]].concat()] {
            let path = reader.write("utf-16.pem", text)?;
            let output = reader.fails("pem", &path, "")?;
            assert!(output.stderr.contains("save it as UTF-8"), "{}", output.describe());
        }
    }
    Ok(())
}

/// Loading a provider changes the order in which libcrypto tries decoders (stunnel, osslsigncode).
#[test]
fn key_files_are_read_after_a_program_has_loaded_a_provider() -> Result<()> {
    let reader = Reader::start()?;
    let site = &reader.site;
    for (reference, kind) in [(site.rsa(2048)?, "RSA"), (site.ec(Curve::P256)?, "EC")] {
        let (file, _) = key(site, &reference)?;
        let (encrypted, der) = reader.encrypt(&file.to_pkcs8_pem())?;
        let encrypted_der = reader.write("file.der", fs::read(der)?)?;
        let own = site.plain().ok("genpkey -algorithm EC -pkeyopt group:P-256")?.text();
        let (own_encrypted, own_der) = reader.encrypt(&own)?;
        for (form, path, passphrase, kind) in [
            ("pem", reader.write("file.pem", file.to_pem())?, "", kind),
            ("pem", reader.write("file.p8", file.to_pkcs8_pem())?, "", kind),
            ("pem", reader.write("encrypted.p8", encrypted)?, PASSPHRASE, kind),
            ("der", encrypted_der, PASSPHRASE, kind),
            ("pem", reader.write("own.p8", own)?, "", "EC"),
            ("pem", reader.write("own-encrypted.p8", own_encrypted)?, PASSPHRASE, "EC"),
            ("der", own_der, PASSPHRASE, "EC"),
        ] {
            for provider in ["default", "base", "null"] {
                let output = reader.task(&[form, &path, passphrase]).env("LOAD", provider).ok()?;
                ensure!(output.text().trim() == kind, "{provider}, {path}: {}", output.describe());
            }
        }
    }
    Ok(())
}

#[test]
fn encrypted_pkcs8_is_read_in_pem_and_in_der() -> Result<()> {
    let reader = Reader::start()?;
    let site = &reader.site;
    for (reference, kind) in [(site.rsa(2048)?, "RSA"), (site.ec(Curve::P384)?, "EC")] {
        let (file, _) = key(site, &reference)?;
        let (pem, der) = reader.encrypt(&file.to_pkcs8_pem())?;
        assert!(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"), "{pem}");
        let path = reader.write("encrypted.key", pem)?;
        site.vault().reset_stats();
        reader.reads("pem", &path, PASSPHRASE, kind)?;
        reader.reads("der", &der, PASSPHRASE, kind)?;
        let stats = site.vault().stats();
        assert_eq!((stats.requests, stats.sign), (2, 2), "{stats:?}");
        reader.write("pass.txt", PASSPHRASE)?;
        site.openssl().ok(&format!("pkey -in {path} -noout -passin file:pass.txt"))?;
        let output = reader.fails("pem", &path, "wrong")?;
        assert!(!output.describe().contains("wrong\""), "{}", output.describe());
        // Other keys are not affected.
        let own = site.plain().ok("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048")?.text();
        let (pem, der) = reader.encrypt(&own)?;
        let path = reader.write("own.key", pem)?;
        reader.reads("pem", &path, PASSPHRASE, "RSA")?;
        reader.reads("der", &der, PASSPHRASE, "RSA")?;
    }
    Ok(())
}
