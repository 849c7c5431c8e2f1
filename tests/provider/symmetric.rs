//! Symmetric keys of a Managed HSM in `openssl pkeyutl`, compared with OpenSSL's own AES key wrap
//! with the same key.

use std::fs;

use akv_emulator::{Curve, NewKey, Persona};
use akv_tests::{Output, Site};
use anyhow::Result;

/// A Managed HSM with known keys.
pub(crate) struct Hsm {
    pub(crate) site: Site,
}

impl Hsm {
    pub(crate) fn start() -> Result<Self> {
        let hsm = Self { site: Site::start(Persona::ManagedHsm)? };
        for bits in [128, 192, 256] {
            let key = NewKey::oct(format!("aes-{bits}"), bits).secret(secret(bits));
            hsm.site.vault().create_key(key)?;
        }
        Ok(hsm)
    }

    fn key(&self, bits: usize) -> String {
        self.site.reference(&format!("aes-{bits}"))
    }

    pub(crate) fn file(&self, name: &str, content: &[u8]) -> Result<String> {
        fs::write(self.site.path(name), content)?;
        Ok(self.site.text(name))
    }

    /// RFC 3394 with the default provider. `enc` wraps each 4 KiB separately.
    fn wrapped(&self, bits: usize, data: &[u8]) -> Result<Vec<u8>> {
        let input = self.file("expected.in", data)?;
        let output = self.site.text("expected.out");
        let key = hex::encode(secret(bits));
        self.site.plain().ok(&format!(
            "enc -e -id-aes{bits}-wrap -K {key} -iv a6a6a6a6a6a6a6a6 -in {input} -out {output}"
        ))?;
        Ok(fs::read(output)?)
    }

    fn requests(&self) -> u64 {
        self.site.vault().stats().requests
    }
}

/// The bytes of the key of this size.
pub(crate) fn secret(bits: usize) -> Vec<u8> {
    (0..bits / 8).map(|n| (n * 73 + bits) as u8).collect()
}

/// Our only error entry.
pub(crate) fn entry(output: &Output) -> String {
    let lines = output.stderr.lines().filter(|line| line.contains(":akv_provider:"));
    let entries: Vec<&str> = lines.collect();
    assert_eq!(entries.len(), 1, "one entry wanted: {}", output.describe());
    entries[0].to_owned()
}

/// The commands of the predecessor's own tests, verbatim.
#[test]
fn commands_of_the_predecessor_work_unchanged() -> Result<()> {
    let hsm = Hsm::start()?;
    let folder = hsm.site.folder().display().to_string();
    let openssl = hsm.site.openssl();
    let path = hsm.site.reference("aes-256").replace("managedHsm", "managedhsm");
    openssl.ok(&format!("rand -out {folder}/local.key 32"))?;
    openssl.ok(&format!(
        "pkeyutl -encrypt -inkey {path} -provider akv_provider -provider default \
         -in {folder}/local.key -out {folder}/local.key.wrap"
    ))?;
    openssl.ok(&format!(
        "pkeyutl -decrypt -inkey {path} -provider akv_provider -provider default \
         -in {folder}/local.key.wrap -out {folder}/local.key.unwrapped"
    ))?;
    let local = fs::read(format!("{folder}/local.key"))?;
    assert_eq!(fs::read(format!("{folder}/local.key.unwrapped"))?, local);
    let mut wrapped = fs::read(format!("{folder}/local.key.wrap"))?;
    assert_eq!(wrapped, hsm.wrapped(256, &local)?);
    // `echo "X" >> local.key.wrap.tampered`
    wrapped.extend(b"X\n");
    let tampered = hsm.file("local.key.wrap.tampered", &wrapped)?;
    openssl.fails(&format!(
        "pkeyutl -decrypt -inkey {path} -provider akv_provider -provider default \
         -in {tampered} -out {folder}/local.key.bad"
    ))?;
    Ok(())
}

#[test]
fn keys_of_every_size_wrap_as_in_rfc_3394() -> Result<()> {
    let hsm = Hsm::start()?;
    for bits in [128, 192, 256] {
        let file = hsm.site.key_file(&hsm.key(bits), "kek.key")?;
        for data in [&[7; 16][..], &[8; 32], &[9; 4096]] {
            let input = hsm.file("cek.bin", data)?;
            let expected = hsm.wrapped(bits, data)?;
            let wrapped = hsm.file("wrapped.bin", &expected)?;
            for key in [&hsm.key(bits), &file] {
                for option in [String::new(), format!("-pkeyopt algorithm:A{bits}KW")] {
                    let run = |direction: &str, input: &str| {
                        let line = format!("pkeyutl {direction} -inkey {key} -in {input} {option}");
                        hsm.site.openssl().ok(&line)
                    };
                    let output = run("-encrypt", &input)?;
                    assert!(output.stdout == expected, "{key} {option}: {} bytes", data.len());
                    assert_eq!(output.stderr, "");
                    assert!(run("-decrypt", &wrapped)?.stdout == data, "{key} {option}: unwrapped");
                }
            }
        }
    }
    Ok(())
}

#[test]
fn loading_and_wrapping_is_a_request_each() -> Result<()> {
    let hsm = Hsm::start()?;
    let (input, file) =
        (hsm.file("cek.bin", &[1; 32])?, hsm.site.key_file(&hsm.key(256), "kek.key")?);
    for key in [hsm.key(256), file] {
        let before = hsm.requests();
        hsm.site.openssl().ok(&format!("pkeyutl -encrypt -inkey {key} -in {input}"))?;
        assert_eq!(hsm.requests(), before + 2, "{key}");
    }
    Ok(())
}

#[test]
fn invalid_lengths_are_refused_before_any_request() -> Result<()> {
    let hsm = Hsm::start()?;
    let key = hsm.key(256);
    for (direction, lengths) in
        [("-encrypt", &[1, 8, 15, 31, 20_000][..]), ("-decrypt", &[1, 8, 16, 31, 41, 20_000])]
    {
        for len in lengths {
            let input = hsm.file("wrong.bin", &vec![3; *len])?;
            let before = hsm.site.vault().stats();
            let failed = hsm
                .site
                .openssl()
                .fails(&format!("pkeyutl {direction} -inkey {key} -in {input}"))?;
            let said = entry(&failed);
            assert!(said.contains(&format!("not {len}")), "{said}");
            let after = hsm.site.vault().stats();
            assert_eq!(after.requests, before.requests + 1, "the key was loaded, nothing more");
        }
    }
    Ok(())
}

#[test]
fn damaged_keys_and_wrong_algorithms_are_reported() -> Result<()> {
    let hsm = Hsm::start()?;
    let mut wrapped = hsm.wrapped(256, &[5; 32])?;
    wrapped[9] ^= 1;
    let damaged = hsm.file("damaged.bin", &wrapped)?;
    let openssl = hsm.site.openssl();
    let key = hsm.key(256);
    let decrypt = format!("pkeyutl -decrypt -inkey {key} -in {damaged}");
    let said = entry(&openssl.fails(&decrypt)?);
    for word in ["unwrap a key", "A256KW", "400", "aes-256"] {
        assert!(said.contains(word), "no {word} in {said}");
    }
    let said = entry(&openssl.fails(&format!("{decrypt} -pkeyopt algorithm:A128KW"))?);
    assert!(said.contains("A128KW") && !said.contains("A256KW"), "{said}");
    let said = entry(&openssl.fails(&format!("{decrypt} -pkeyopt algorithm:A512KW"))?);
    assert!(said.contains("A128KW, A192KW, A256KW"), "{said}");
    Ok(())
}

#[test]
fn keys_that_the_hsm_may_not_use_are_reported_with_the_reason() -> Result<()> {
    let hsm = Hsm::start()?;
    hsm.site.vault().create_key(NewKey::oct("no-wrap", 256).key_ops(["encrypt", "decrypt"]))?;
    hsm.site.vault().create_key(NewKey::oct("disabled", 256).enabled(false))?;
    let input = hsm.file("cek.bin", &[1; 32])?;
    for (key, word) in [("no-wrap", "403"), ("disabled", "disabled"), ("missing", "404")] {
        let key = hsm.site.reference(key);
        let line = format!("pkeyutl -encrypt -inkey {key} -in {input}");
        let said = entry(&hsm.site.openssl().fails(&line)?);
        assert!(said.to_lowercase().contains(word), "no {word} in {said}");
    }
    Ok(())
}

#[test]
fn operations_that_need_a_key_pair_are_refused() -> Result<()> {
    let hsm = Hsm::start()?;
    let (key, openssl) = (hsm.key(256), hsm.site.openssl());
    let (data, out) = (hsm.site.text("plain.cnf"), hsm.site.text("out"));
    let file = hsm.site.key_file(&key, "kek.key")?;
    for line in [
        format!("pkey -in {key} -pubout"),
        format!("pkey -in {key} -pubout -outform DER -out {out}"),
        format!("pkey -in {key} -outform DER -out {out}"),
        format!("pkcs8 -topk8 -nocrypt -in {file}"),
        format!("pkey -pubin -in {key}"),
    ] {
        let said = entry(&openssl.fails(&line)?);
        assert!(said.contains("public half") || said.contains("never leaves"), "{line}: {said}");
    }
    for line in [
        format!("dgst -sha256 -sign {key} -out {out} {data}"),
        format!("pkeyutl -sign -inkey {key} -in {data}"),
        format!("pkeyutl -derive -inkey {key}"),
        format!("req -new -key {key} -subj /CN=none"),
    ] {
        let failed = openssl.fails(&line)?;
        assert!(!failed.stderr.is_empty(), "{line} fails without a word");
    }
    Ok(())
}

#[test]
fn a_symmetric_key_is_printed_as_symmetric() -> Result<()> {
    let hsm = Hsm::start()?;
    let (key, openssl) = (hsm.key(192), hsm.site.openssl());
    let text = openssl.ok(&format!("pkey -in {key} -noout -text"))?.text();
    assert!(text.starts_with("Symmetric-Key:"), "{text}");
    assert!(text.contains("Held in: Azure Managed HSM") && text.contains("Key: aes-192"), "{text}");
    let stored = openssl.ok(&format!("storeutl {key}"))?.text();
    assert!(stored.contains("AKV PRIVATE KEY"), "{stored}");
    let listed = openssl.ok("storeutl managedHsm:testvault:")?.text();
    assert!(listed.contains("managedHsm:testvault:aes-192"), "{listed}");
    // The key file has no public half; a program that requires a key pair gets an error that says
    // so.
    hsm.site.key_file(&key, "kek.key")?;
    let file = hsm.site.read("kek.key")?;
    assert!(file.starts_with("-----BEGIN AKV PRIVATE KEY-----"), "{file}");
    assert!(file.len() < 200, "{file}");
    Ok(())
}

#[test]
fn key_pairs_of_the_same_hsm_stay_key_pairs() -> Result<()> {
    let hsm = Hsm::start()?;
    let pair = hsm.site.ec(Curve::P256)?;
    let text = hsm.site.openssl().ok(&format!("pkey -in {pair} -noout -text"))?.text();
    assert!(text.contains("P-256"), "{text}");
    let input = hsm.file("cek.bin", &[1; 32])?;
    let failed =
        hsm.site.openssl().fails(&format!("pkeyutl -encrypt -inkey {pair} -in {input}"))?;
    assert!(!failed.stderr.is_empty());
    Ok(())
}
