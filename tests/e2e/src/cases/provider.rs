//! The provider in the `openssl` program.

use std::fs;

use akv_core::{Curve, VaultKind};
use akv_tests::modules;
use anyhow::{Result, ensure};

use super::{
    judge::{self, MESSAGE, message},
    programs::{self, HANDSHAKES, reference, serve},
};
use crate::{
    case::{Case, Front, Stopwatch},
    keys::Pair,
    stage::Stage,
};

const DIGESTS: [&str; 3] = ["sha256", "sha384", "sha512"];
const PSS: &str = "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest";

pub(super) fn cases(kind: VaultKind) -> Vec<Case> {
    let mut cases = vec![
        case("storeutl lists the vault's keys", list),
        case("pkey -pubout writes the same key as the Rust API", public_keys),
        case("pkey writes a key file, which signs", key_file),
        case("pkey reports which key does not exist", missing),
        case("genpkey makes a key", generate),
        case("cms signs and decrypts", cms),
    ];
    for digest in DIGESTS {
        cases.push(case(&format!("dgst -{digest}, RSA"), move |stage, watch| {
            sign(stage, Pair::Rsa, digest, "", watch)
        }));
        cases.push(case(&format!("dgst -{digest}, RSA-PSS"), move |stage, watch| {
            sign(stage, Pair::Rsa, digest, PSS, watch)
        }));
    }
    for pair in Pair::ALL.into_iter().filter(|pair| *pair != Pair::Rsa) {
        cases.push(case(&format!("dgst -sha256, {}", pair.name()), move |stage, watch| {
            sign(stage, pair, "sha256", "", watch)
        }));
    }
    for (name, options) in [
        ("PKCS#1 v1.5", ""),
        ("OAEP", "-pkeyopt rsa_padding_mode:oaep"),
        ("OAEP with SHA-256", "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256"),
    ] {
        cases.push(case(&format!("pkeyutl -decrypt, {name}"), move |stage, watch| {
            programs::decrypt(stage, &stage.provider()?, "", options, watch)
        }));
    }
    for pair in [Pair::Rsa, Pair::Ec(Curve::P256)] {
        let name = format!("req makes a certificate, {}", pair.name());
        cases.push(case(&name, move |stage, _| certificate(stage, pair).map(drop)));
    }
    for handshake in &HANDSHAKES {
        let name = format!("s_server, {}", handshake.name);
        cases.push(case(&name, move |stage, watch| {
            let certificate = certificate(stage, handshake.pair)?;
            let key = format!("-key {}", reference(stage, handshake.pair)?);
            serve(stage, &stage.provider()?, &key, &certificate, handshake, watch)
        }));
    }
    if kind == VaultKind::ManagedHsm {
        cases.push(case("pkeyutl wraps and unwraps with an AES key", wrap));
    }
    cases
}

fn case(name: &str, body: impl Fn(&Stage, &Stopwatch) -> Result<()> + 'static) -> Case {
    Case::new(Front::Provider, name, move |stage, watch| {
        modules::provider()?;
        body(stage, watch)
    })
}

fn list(stage: &Stage, watch: &Stopwatch) -> Result<()> {
    let key = stage.keys.pair(Pair::Rsa)?;
    let vault = stage.target.reference("");
    let said = watch.time(|| stage.provider()?.ok(&format!("storeutl {vault}")))?.text();
    let name = key.reference().key_name().unwrap_or_default();
    ensure!(said.contains(name), "{name} is not in the list:\n{said}");
    Ok(())
}

fn public_keys(stage: &Stage, watch: &Stopwatch) -> Result<()> {
    for pair in Pair::ALL {
        let key = stage.keys.pair(pair)?;
        let command = format!("pkey -in {} -pubout -outform DER", key.reference());
        let printed = watch.time(|| stage.provider()?.ok(&command))?.stdout;
        ensure!(printed == key.public_key().to_spki_der(), "another key for {}", pair.name());
    }
    Ok(())
}

fn key_file(stage: &Stage, watch: &Stopwatch) -> Result<()> {
    let openssl = stage.provider()?;
    for pair in [Pair::Rsa, Pair::Ec(Curve::P384)] {
        let file = stage.text(&format!("{}.key", pair.name()));
        openssl.ok(&format!("pkey -in {} -out {file}", reference(stage, pair)?))?;
        sign_with(stage, &file, pair, "sha384", "", watch)?;
    }
    Ok(())
}

fn missing(stage: &Stage, _: &Stopwatch) -> Result<()> {
    let missing = stage.target.reference(&stage.keys.name("missing"));
    let said = stage.provider()?.fails(&format!("pkey -in {missing} -noout"))?;
    for word in ["404", "KeyNotFound", missing.as_str(), "request id"] {
        ensure!(said.stderr.contains(word), "no {word:?} in {}", said.describe());
    }
    Ok(())
}

fn generate(stage: &Stage, watch: &Stopwatch) -> Result<()> {
    let reference = stage.target.reference(&stage.keys.name("generated"));
    let (openssl, file) = (stage.provider()?, stage.text("generated.key"));
    let public = stage.text("generated.pub");
    openssl.ok(&format!(
        "genpkey -propquery provider=akv_provider -algorithm EC \
         -pkeyopt ec_paramgen_curve:P-256 -pkeyopt akv-name:{reference} -out {file}"
    ))?;
    openssl.ok(&format!("pkey -in {reference} -pubout -out {public}"))?;
    programs::sign(stage, &openssl, &format!("-sign {file}"), &public, "-sha256", watch)
}

fn cms(stage: &Stage, watch: &Stopwatch) -> Result<()> {
    let (openssl, plain) = (stage.provider()?, stage.plain()?);
    let (key, cert) = (reference(stage, Pair::Rsa)?, certificate(stage, Pair::Rsa)?);
    let (message, signed) = (message(stage)?, stage.text("cms.pem"));
    watch.time(|| {
        openssl.ok(&format!(
            "cms -sign -binary -in {message} -signer {cert} -inkey {key} -outform PEM -out {signed}"
        ))
    })?;
    plain.ok(&format!(
        "cms -verify -binary -inform PEM -in {signed} -content {message} -CAfile {cert} -purpose any"
    ))?;
    let sealed = stage.text("sealed.pem");
    plain.ok(&format!(
        "cms -encrypt -binary -aes-256-cbc -in {message} -outform PEM -out {sealed} {cert}"
    ))?;
    let opened = watch.time(|| {
        openssl.ok(&format!(
            "cms -decrypt -binary -inform PEM -in {sealed} -recip {cert} -inkey {key}"
        ))
    })?;
    ensure!(opened.stdout == MESSAGE, "decrypted to something else");
    Ok(())
}

fn sign(stage: &Stage, pair: Pair, digest: &str, options: &str, watch: &Stopwatch) -> Result<()> {
    sign_with(stage, &reference(stage, pair)?, pair, digest, options, watch)
}

/// Signs with a key, named in any way, and verifies with plain OpenSSL.
fn sign_with(
    stage: &Stage,
    key: &str,
    pair: Pair,
    digest: &str,
    options: &str,
    watch: &Stopwatch,
) -> Result<()> {
    let of_api = stage.keys.pair(pair)?;
    let public = judge::public_key(stage, of_api.public_key(), of_api.version())?;
    let (key, options) = (format!("-sign {key}"), format!("-{digest} {options}"));
    programs::sign(stage, &stage.provider()?, &key, &public, &options, watch)
}

/// Creates a self-signed certificate for `localhost`, and verifies it with plain OpenSSL.
pub(super) fn certificate(stage: &Stage, pair: Pair) -> Result<String> {
    let certificate = stage.text(&format!("{}.pem", pair.name()));
    stage.provider()?.ok(&format!(
        "req -x509 -new -key {} -sha256 -days 2 -subj /CN=localhost \
         -addext subjectAltName=DNS:localhost -out {certificate}",
        reference(stage, pair)?
    ))?;
    stage.plain()?.ok(&format!("verify -CAfile {certificate} {certificate}"))?;
    Ok(certificate)
}

fn wrap(stage: &Stage, watch: &Stopwatch) -> Result<()> {
    let key = stage.keys.aes()?.reference().to_string();
    let (openssl, secret) = (stage.provider()?, [7; 32]);
    let (input, wrapped) = (stage.write("secret", secret)?, stage.text("wrapped"));
    watch.time(|| {
        openssl.ok(&format!("pkeyutl -encrypt -inkey {key} -in {input} -out {wrapped}"))
    })?;
    ensure!(fs::read(&wrapped)?.len() == secret.len() + 8, "RFC 3394 adds eight bytes");
    let opened =
        watch.time(|| openssl.ok(&format!("pkeyutl -decrypt -inkey {key} -in {wrapped}")))?;
    ensure!(opened.stdout == secret, "unwrapped to something else");
    Ok(())
}
