//! RSA key exchange of TLS 1.2: the vault decrypts the premaster secret.

use std::fs;

use akv_emulator::{Fault, FaultKind, Operation, Persona};
use akv_tests::{Site, Task, cc};
use anyhow::{Context as _, Result};

use crate::scene::{LIMIT, Scene, WEAK, entries};

/// Bytes of a premaster secret (RFC 5246 section 8.1).
const LEN: usize = 48;
const TLS_1_2: u16 = 0x0303;

#[test]
fn premaster_secret_is_decrypted_in_the_vault() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let site = scene.site();
    site.set("rsa-key-exchange", "yes")?;
    for bits in [2048, 4096] {
        let identity = scene.identity(&site.rsa(bits)?, &format!("exchange-{bits}"))?;
        let (server, address) = scene.serve(&identity, WEAK)?;
        for cipher in ["AES128-SHA", "AES128-SHA256", "AES256-GCM-SHA384"] {
            let before = site.vault().stats();
            let client = format!("-tls1_2 -cipher {cipher}:@SECLEVEL=0");
            let seen = scene.connect(&address, &client)?;
            assert_eq!((seen.protocol.as_str(), seen.signature.as_str()), ("TLSv1.2", ""));
            let after = site.vault().stats();
            assert_eq!(
                after.operation(Operation::Decrypt) - before.operation(Operation::Decrypt),
                1
            );
            assert_eq!(after.sign, before.sign, "nothing is signed");
        }
        assert_eq!(entries(&server.output()), 0, "{}", server.output());
    }
    Ok(())
}

#[test]
fn an_ec_key_has_no_rsa_key_exchange() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let identity = scene.identity(&scene.site().ec(akv_emulator::Curve::P256)?, "exchange-ec")?;
    let (_server, address) = scene.serve(&identity, WEAK)?;
    let alert = scene.refused(&address, "-tls1_2 -cipher AES128-SHA:@SECLEVEL=0")?;
    assert_eq!(alert, 40, "handshake_failure");
    Ok(())
}

#[test]
fn handshake_ends_when_the_vault_refuses() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    scene.site().set("rsa-key-exchange", "yes")?;
    let identity = scene.identity(&scene.site().rsa(2048)?, "exchange-refused")?;
    let (server, address) = scene.serve(&identity, WEAK)?;
    scene.site().vault().fault(Fault::new(FaultKind::Forbidden).on(Operation::Decrypt));
    let alert = scene.refused(&address, "-tls1_2 -cipher AES128-SHA:@SECLEVEL=0")?;
    let said = server.wait_for("403", LIMIT)?;
    assert_eq!(entries(&said), 1, "one readable entry: {said}");
    // `internal_error` or, as OpenSSL reports every failure to decrypt, `decrypt_error`.
    assert!([80, 51].contains(&alert), "{alert}: {said}");
    Ok(())
}

/// The default behaviour of every server.
#[test]
fn is_refused_without_the_setting_before_any_request_and_ecdhe_works() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let site = scene.site();
    let identity = scene.identity(&site.rsa(2048)?, "exchange-off")?;
    let (server, address) = scene.serve(&identity, WEAK)?;
    site.vault().reset_stats();
    for protocol in ["-tls1_2", "-tls1_1"] {
        let arguments = format!("{protocol} -cipher AES128-SHA:@SECLEVEL=0");
        let alert = scene.refused(&address, &arguments)?;
        assert!([80, 51].contains(&alert), "{alert}");
    }
    let said = server.wait_for("rsa-key-exchange", LIMIT)?;
    assert!(said.contains("not allowed"), "{said}");
    assert_eq!(site.vault().stats().requests, 0, "{said}");
    scene.connect(&address, "-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256")?;
    scene.connect(&address, "-tls1_3")?;
    Ok(())
}

/// The C program and a site with one RSA key.
struct Bench {
    site: Site,
    program: std::path::PathBuf,
    key: String,
    public: String,
}

impl Bench {
    fn start() -> Result<Self> {
        let site = Site::start(Persona::Vault)?;
        site.set("rsa-key-exchange", "yes")?;
        let program = cc::compile("provider/premaster", site.folder())?;
        let reference = site.rsa(2048)?;
        let public = site.public_key(&reference)?;
        let key = site.key_file(&reference, "premaster.key")?;
        Ok(Self { site, program, key, public })
    }

    /// Encrypts with plain OpenSSL.
    fn encrypt(&self, plain: &[u8], padding: &str) -> Result<String> {
        let (input, output) = (self.site.text("premaster.bin"), self.site.text("premaster.enc"));
        fs::write(&input, plain)?;
        self.site.plain().ok(&format!(
            "pkeyutl -encrypt -pubin -inkey {} -in {input} -pkeyopt rsa_padding_mode:{padding} \
             -out {output}",
            self.public
        ))?;
        Ok(output)
    }

    /// Decrypts as libssl does, with one request, whatever the result. Returns the output.
    fn decrypt(&self, ciphertext: &str, client: u16, negotiated: u16) -> Result<String> {
        let before = self.site.vault().stats().requests;
        let arguments = [client.to_string(), negotiated.to_string(), LEN.to_string()];
        let task = Task::new(&self.program).env("OPENSSL_CONF", self.site.path("openssl.cnf"));
        let output = task.args([self.key.as_str(), ciphertext]).args(&arguments).ok()?;
        assert_eq!(output.stderr, "", "the output does not reveal whether a secret is valid");
        assert_eq!(self.site.vault().stats().requests - before, 1, "one request, no retry");
        let text = output.text();
        let secret = text.trim().strip_prefix("48 48 ").context(output.describe())?;
        assert_eq!(secret.len(), 2 * LEN, "{text}");
        Ok(secret.to_owned())
    }
}

fn secret(version: u16, len: usize) -> Vec<u8> {
    let mut secret = vec![0x5a; len];
    secret[..2].copy_from_slice(&version.to_be_bytes());
    secret
}

#[test]
fn premaster_secret_is_returned_if_it_is_valid() -> Result<()> {
    let bench = Bench::start()?;
    let right = secret(TLS_1_2, LEN);
    let ciphertext = bench.encrypt(&right, "pkcs1")?;
    assert_eq!(bench.decrypt(&ciphertext, TLS_1_2, 0)?, hex::encode(&right));
    // A client that has offered 1.2 and sends the negotiated 1.1, which a server may tolerate.
    let older = secret(0x0302, LEN);
    let ciphertext = bench.encrypt(&older, "pkcs1")?;
    assert_eq!(bench.decrypt(&ciphertext, TLS_1_2, 0x0302)?, hex::encode(&older));
    Ok(())
}

#[test]
fn premaster_secret_becomes_random_if_it_is_invalid() -> Result<()> {
    let bench = Bench::start()?;
    // PKCS#1 padding of type 1, an end that is missing, and a padding that is too short.
    let mut type_1 = vec![0xff; 256];
    type_1[..2].copy_from_slice(&[0, 1]);
    type_1[207] = 0;
    let mut endless = vec![0xff; 256];
    endless[..2].copy_from_slice(&[0, 2]);
    let mut short_padding = endless.clone();
    short_padding[5] = 0;
    for (what, plain, padding) in [
        ("the version that was not offered", secret(0x0302, LEN), "pkcs1"),
        ("one byte too few", secret(TLS_1_2, LEN - 1), "pkcs1"),
        ("one byte too many", secret(TLS_1_2, LEN + 1), "pkcs1"),
        ("type 1", type_1, "none"),
        ("no end of the padding", endless, "none"),
        ("a padding of three bytes", short_padding, "none"),
        ("zero", vec![0; 256], "none"),
    ] {
        let ciphertext = bench.encrypt(&plain, padding)?;
        let first = bench.decrypt(&ciphertext, TLS_1_2, 0).with_context(|| what.to_owned())?;
        let second = bench.decrypt(&ciphertext, TLS_1_2, 0)?;
        assert_ne!(first, second, "{what}: random");
        let end = plain.len().min(LEN);
        assert_ne!(
            first[..2 * end],
            hex::encode(&plain[..end]),
            "{what}: not what the client sent"
        );
    }
    Ok(())
}

#[test]
fn premaster_secret_becomes_random_for_every_refusal_status() -> Result<()> {
    let bench = Bench::start()?;
    let right = secret(TLS_1_2, LEN);
    let ciphertext = bench.encrypt(&right, "pkcs1")?;
    for status in [400, 409, 422] {
        bench.site.vault().fault(Fault::status(status).on(Operation::Decrypt));
        assert_ne!(bench.decrypt(&ciphertext, TLS_1_2, 0)?, hex::encode(&right), "{status}");
    }
    assert_eq!(bench.decrypt(&ciphertext, TLS_1_2, 0)?, hex::encode(&right));
    Ok(())
}

#[test]
fn failures_unrelated_to_the_secret_are_errors() -> Result<()> {
    let bench = Bench::start()?;
    let ciphertext = bench.encrypt(&secret(TLS_1_2, LEN), "pkcs1")?;
    let run = |room: usize| {
        let arguments = [TLS_1_2.to_string(), "0".to_owned(), room.to_string()];
        let task = Task::new(&bench.program).env("OPENSSL_CONF", bench.site.path("openssl.cnf"));
        task.args([bench.key.as_str(), &ciphertext]).args(&arguments).ok()
    };
    let before = bench.site.vault().stats().requests;
    let output = run(LEN - 1)?;
    assert_eq!(output.text().trim(), "48 refused", "{}", output.describe());
    assert_eq!(bench.site.vault().stats().requests, before, "refused before any request");
    bench.site.vault().fault(Fault::new(FaultKind::Forbidden).on(Operation::Decrypt));
    let output = run(LEN)?;
    assert_eq!(output.text().trim(), "48 refused", "{}", output.describe());
    assert_eq!(entries(&output.stderr), 1, "{}", output.describe());
    Ok(())
}
