//! Code shared by the cases of the provider, the engine and nginx: certificates, handshakes, and
//! checks for programs.

use std::time::Duration;

use akv_tests::{Client, OpenSsl, Server, process::which};
use anyhow::{Context as _, Result, ensure};

use super::judge::{self, MESSAGE, message};
use crate::{
    case::{CannotRun, Stopwatch},
    keys::Pair,
    stage::Stage,
};

const LIMIT: Duration = Duration::from_secs(60);

/// How a client connects, and the signature that it expects of the server.
pub(super) struct Handshake {
    pub(super) pair: Pair,
    pub(super) name: &'static str,
    pub(super) arguments: &'static str,
    pub(super) signature: &'static str,
}

/// A handshake for each protocol and kind of signature.
pub(super) const HANDSHAKES: [Handshake; 4] = [
    Handshake {
        pair: Pair::Rsa,
        name: "TLS 1.2, RSA",
        arguments: "-tls1_2 -sigalgs rsa_pkcs1_sha256",
        signature: "RSA",
    },
    Handshake {
        pair: Pair::Rsa,
        name: "TLS 1.3, RSA-PSS",
        arguments: "-tls1_3 -sigalgs rsa_pss_rsae_sha256",
        signature: "RSA-PSS",
    },
    Handshake {
        pair: Pair::Ec(akv_core::Curve::P256),
        name: "TLS 1.2, ECDSA",
        arguments: "-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256",
        signature: "ECDSA",
    },
    Handshake {
        pair: Pair::Ec(akv_core::Curve::P256),
        name: "TLS 1.3, ECDSA",
        arguments: "-tls1_3 -sigalgs ecdsa_secp256r1_sha256",
        signature: "ECDSA",
    },
];

/// Returns an error if a program is missing.
pub(super) fn need(program: &str) -> Result<(), CannotRun> {
    match which(program) {
        Some(_) => Ok(()),
        None => Err(CannotRun(format!("there is no program `{program}`; install it"))),
    }
}

/// The reference of one of the run's keys, without a version.
pub(super) fn reference(stage: &Stage, pair: Pair) -> Result<String> {
    Ok(stage.keys.pair(pair)?.reference().to_string())
}

/// Connects with plain OpenSSL; the certificate is self-signed and trusted.
pub(super) fn connect(
    stage: &Stage,
    handshake: &Handshake,
    address: &str,
    certificate: &str,
    watch: &Stopwatch,
) -> Result<()> {
    let client = Client { address, ca: certificate, arguments: handshake.arguments };
    let seen = watch.time(|| client.connect(&stage.plain()?))?;
    ensure!(seen.signature == handshake.signature, "signed with {}", seen.signature);
    Ok(())
}

/// Signs the message with `openssl dgst`, with the arguments `key` for the key, and verifies the
/// result with plain OpenSSL and the public key in the file `public`.
pub(super) fn sign(
    stage: &Stage,
    openssl: &OpenSsl,
    key: &str,
    public: &str,
    options: &str,
    watch: &Stopwatch,
) -> Result<()> {
    let (message, signature) = (message(stage)?, stage.text("dgst.sig"));
    let line = format!("dgst {options} {key} -out {signature} {message}");
    watch.time(|| openssl.ok(&line))?;
    let line = format!("dgst {options} -verify {public} -signature {signature} {message}");
    stage.plain()?.ok(&line)?;
    Ok(())
}

/// Encrypts with plain OpenSSL and decrypts with the run's RSA key, both with `openssl pkeyutl`.
pub(super) fn decrypt(
    stage: &Stage,
    openssl: &OpenSsl,
    form: &str,
    options: &str,
    watch: &Stopwatch,
) -> Result<()> {
    let key = stage.keys.pair(Pair::Rsa)?;
    let public = judge::public_key(stage, key.public_key(), key.version())?;
    let (message, sealed) = (message(stage)?, stage.text("pkeyutl.sealed"));
    stage.plain()?.ok(&format!(
        "pkeyutl -encrypt -pubin -inkey {public} {options} -in {message} -out {sealed}"
    ))?;
    let line = format!("pkeyutl -decrypt {form} -inkey {} {options} -in {sealed}", key.reference());
    let opened = watch.time(|| openssl.ok(&line))?;
    ensure!(opened.stdout == MESSAGE, "decrypted to something else");
    Ok(())
}

/// Starts `s_server`, connects, and stops it.
pub(super) fn serve(
    stage: &Stage,
    openssl: &OpenSsl,
    key: &str,
    certificate: &str,
    handshake: &Handshake,
    watch: &Stopwatch,
) -> Result<()> {
    let line = format!("s_server -accept 127.0.0.1:0 -cert {certificate} {key}");
    let task = openssl.task(line.split_whitespace());
    let ready = |line: &str| line.strip_prefix("ACCEPT ").map(str::to_owned);
    let (server, address) = Server::start(task, LIMIT, ready)?;
    connect(stage, handshake, &address, certificate, watch)
        .with_context(|| format!("the server said:\n{}", server.output()))
}
