//! RSA encryption: the vault decrypts, everything else is local. Compared with the default
//! provider, which has the same key in a file.

use std::fs;

use akv_emulator::{Fault, FaultKind, NewKey, Operation, Persona};
use akv_tests::{Output, Site, Task, cc};
use anyhow::Result;

const SECRET: &str = "thirty-two bytes of a session key";

/// The options that the vault supports.
const TAKEN: [&str; 10] = [
    "",
    "-pkeyopt rsa_padding_mode:pkcs1",
    "-pkeyopt rsa_padding_mode:oaep",
    "-pkeyopt rsa_padding_mode:oeap",
    "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha1",
    "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_mgf1_md:SHA-1",
    "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256",
    "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:SHA2-256 -pkeyopt rsa_mgf1_md:sha256",
    "-pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_padding_mode:oaep",
    "-pkeyopt rsa_mgf1_md:sha256 -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_padding_mode:oaep",
];

/// Unsupported options, and a word of the reason.
const REFUSED: [(&str, &str); 8] = [
    ("-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha224", "SHA-224"),
    ("-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha384", "SHA-384"),
    ("-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha512", "SHA-512"),
    ("-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha3-256", "SHA3-256"),
    (
        "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha1",
        "MGF1",
    ),
    ("-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_mgf1_md:sha256", "MGF1"),
    ("-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_label:00ff", "label"),
    ("-pkeyopt rsa_padding_mode:pss", "pss"),
];

/// A vault with a key that the default provider also has.
struct Twins {
    site: Site,
    /// The key file of the key in the vault.
    ours: String,
    /// The same key for the default provider.
    theirs: String,
    public: String,
}

impl Twins {
    fn start() -> Result<Self> {
        let site = Site::start(Persona::Vault)?;
        let (theirs, der) = (site.text("twin.pem"), site.text("twin.der"));
        let public = site.text("twin.pub");
        site.plain().ok(&format!("genpkey -algorithm RSA -out {theirs}"))?;
        site.plain().ok(&format!("pkcs8 -topk8 -nocrypt -in {theirs} -outform DER -out {der}"))?;
        site.plain().ok(&format!("pkey -in {theirs} -pubout -out {public}"))?;
        site.vault().create_key(NewKey::rsa("twin", 2048).pkcs8(fs::read(der)?))?;
        let ours = site.key_file(&site.reference("twin"), "twin.key")?;
        Ok(Self { site, ours, theirs, public })
    }

    /// Encrypts [`SECRET`] with the default provider.
    fn encrypt(&self, options: &str, file: &str) -> Result<String> {
        let (data, cipher) = (self.site.text("secret.txt"), self.site.text(file));
        fs::write(&data, SECRET)?;
        self.site.plain().ok(&format!(
            "pkeyutl -encrypt -pubin -inkey {} -in {data} {options} -out {cipher}",
            self.public
        ))?;
        Ok(cipher)
    }

    fn requests(&self) -> u64 {
        self.site.vault().stats().requests
    }
}

/// Our only error entry.
fn entry(output: &Output) -> String {
    let lines = output.stderr.lines().filter(|line| line.contains(":akv_provider:"));
    let entries: Vec<&str> = lines.collect();
    assert_eq!(entries.len(), 1, "one entry wanted: {}", output.describe());
    entries[0].to_owned()
}

#[test]
fn the_vault_decrypts_what_the_default_provider_encrypted() -> Result<()> {
    let twins = Twins::start()?;
    for options in TAKEN {
        let cipher = twins.encrypt(options, "secret.bin")?;
        let before = twins.requests();
        let line = format!("pkeyutl -decrypt -inkey {} -in {cipher} {options}", twins.ours);
        let plain = twins.site.openssl().ok(&line)?;
        assert_eq!((plain.text().as_str(), plain.stderr.as_str()), (SECRET, ""), "{options}");
        assert_eq!(twins.requests(), before + 1, "{options}");
    }
    Ok(())
}

#[test]
fn encryption_is_local_and_the_default_provider_decrypts_it() -> Result<()> {
    let twins = Twins::start()?;
    let (data, cipher) = (twins.site.text("secret.txt"), twins.site.text("secret.bin"));
    let before = twins.requests();
    for options in TAKEN {
        for secret in [SECRET, ""] {
            fs::write(&data, secret)?;
            twins.site.openssl().ok(&format!(
                "pkeyutl -encrypt -inkey {} -in {data} {options} -out {cipher}",
                twins.ours
            ))?;
            let plain = twins
                .site
                .plain()
                .ok(&format!("pkeyutl -decrypt -inkey {} -in {cipher} {options}", twins.theirs))?;
            assert_eq!(plain.text(), secret, "{options}");
        }
    }
    assert_eq!(twins.requests(), before, "encrypting is local");
    Ok(())
}

#[test]
fn unsupported_paddings_and_digests_are_refused_before_any_request() -> Result<()> {
    let twins = Twins::start()?;
    let cipher = twins.encrypt("", "secret.bin")?;
    let (input, output) = (twins.site.text("secret.txt"), twins.site.text("refused.bin"));
    let before = twins.requests();
    for (options, word) in REFUSED {
        for line in [
            format!("pkeyutl -decrypt -inkey {} -in {cipher} {options}", twins.ours),
            // It could not be decrypted.
            format!("pkeyutl -encrypt -inkey {} -in {input} {options} -out {output}", twins.ours),
        ] {
            let failed = twins.site.openssl().fails(&line)?;
            let said = entry(&failed);
            assert!(said.contains(word), "no {word:?} in {said}");
        }
    }
    let raw = format!("-in {cipher} -pkeyopt rsa_padding_mode:none");
    let failed =
        twins.site.openssl().fails(&format!("pkeyutl -decrypt -inkey {} {raw}", twins.ours))?;
    assert!(entry(&failed).contains("none"), "{}", failed.describe());
    let long = twins.site.text("long.bin");
    fs::write(&long, [1; 257])?;
    let failed = twins
        .site
        .openssl()
        .fails(&format!("pkeyutl -decrypt -inkey {} -in {long}", twins.ours))?;
    assert!(entry(&failed).contains("256 bytes, not 257"), "{}", failed.describe());
    assert_eq!(twins.requests(), before);
    Ok(())
}

#[test]
fn a_wrong_ciphertext_costs_one_request_and_leaves_one_error() -> Result<()> {
    let twins = Twins::start()?;
    let wrong = twins.site.text("wrong.bin");
    fs::write(&wrong, [&[0][..], &[7; 255]].concat())?;
    for padding in ["pkcs1", "oaep"] {
        let before = twins.requests();
        let failed = twins.site.openssl().fails(&format!(
            "pkeyutl -decrypt -inkey {} -in {wrong} -pkeyopt rsa_padding_mode:{padding}",
            twins.ours
        ))?;
        assert!(entry(&failed).contains("400"), "{}", failed.describe());
        assert_eq!(twins.requests(), before + 1, "{padding}");
    }
    // As everywhere, requests to a vault that is briefly overloaded are retried.
    let cipher = twins.encrypt("", "secret.bin")?;
    twins.site.vault().fault(Fault::new(FaultKind::NotJson).on(Operation::Decrypt));
    let line = format!("pkeyutl -decrypt -inkey {} -in {cipher}", twins.ours);
    assert_eq!(twins.site.openssl().ok(&line)?.text(), SECRET);
    Ok(())
}

/// OpenSSL supports the parameter from 3.2 on.
#[test]
fn pkcs1_implicit_rejection_is_refused() -> Result<()> {
    let twins = Twins::start()?;
    let cipher = twins.encrypt("", "secret.bin")?;
    let option = "-pkeyopt rsa_pkcs1_implicit_rejection";
    let decrypt =
        |key: &str, on: u8| format!("pkeyutl -decrypt -inkey {key} -in {cipher} {option}:{on}");
    let known = twins.site.plain().task(decrypt(&twins.theirs, 0).split(' ')).run()?;
    if !known.status.success() {
        return Ok(());
    }
    assert_eq!(twins.site.openssl().ok(&decrypt(&twins.ours, 0))?.text(), SECRET);
    let failed = twins.site.openssl().fails(&decrypt(&twins.ours, 1))?;
    assert!(entry(&failed).contains("implicit rejection"), "{}", failed.describe());
    Ok(())
}

#[test]
fn libcrypto_sees_no_difference_from_the_default_provider() -> Result<()> {
    let twins = Twins::start()?;
    let program = cc::compile("provider/cipher_facts", twins.site.folder())?;
    let ciphers = [
        twins.encrypt("", "facts-pkcs1.bin")?,
        twins.encrypt("-pkeyopt rsa_padding_mode:oaep", "facts-oaep.bin")?,
        twins.encrypt(
            "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256",
            "facts-oaep-256.bin",
        )?,
    ];
    let facts = |key: &str, config: &str| {
        let task = Task::new(&program).env("OPENSSL_CONF", twins.site.path(config));
        task.arg(key).args(&ciphers).ok()
    };
    let ours = facts(&twins.ours, "openssl.cnf")?;
    assert!(ours.text().contains(SECRET), "{}", ours.describe());
    assert_eq!(ours.stderr, "");
    let theirs = facts(&twins.theirs, "plain.cnf")?.text();
    let (ours, theirs): (Vec<_>, Vec<_>) =
        (ours.text().lines().map(str::to_owned).collect(), theirs.lines().collect());
    let differ = ours.iter().zip(&theirs).enumerate().filter(|(_, (ours, theirs))| ours != *theirs);
    assert_eq!(differ.collect::<Vec<_>>(), []);
    assert_eq!(ours.len(), theirs.len());
    Ok(())
}
