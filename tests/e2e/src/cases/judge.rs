//! Independent verification with OpenSSL's own implementations, without our code.

use akv_core::{Key, PublicKey, SignatureAlgorithm, ecdsa};
use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::digest::{Algorithm, SHA256, SHA384, SHA512, digest};

use crate::stage::Stage;

/// The message that all cases sign.
pub(super) const MESSAGE: &[u8] = b"The key stays where it is; only the digest travels.\n";

/// The message in a file of the run's folder.
pub(super) fn message(stage: &Stage) -> Result<String> {
    stage.write("message", MESSAGE)
}

/// The digest of [`MESSAGE`] for this algorithm.
pub(super) fn input(algorithm: SignatureAlgorithm) -> Vec<u8> {
    /// `DigestInfo` for SHA-256 up to the digest (RFC 8017 section 9.2, note 1).
    const SHA256_INFO: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20,
    ];
    let hashed = digest(hash(algorithm).0, MESSAGE);
    match algorithm {
        SignatureAlgorithm::RsNull => [&SHA256_INFO, hashed.as_ref()].concat(),
        _ => hashed.as_ref().to_vec(),
    }
}

/// The hash of an algorithm, and OpenSSL's name of it.
fn hash(algorithm: SignatureAlgorithm) -> (&'static Algorithm, &'static str) {
    match algorithm.digest_len() {
        Some(48) => (&SHA384, "sha384"),
        Some(64) => (&SHA512, "sha512"),
        _ => (&SHA256, "sha256"),
    }
}

/// The public key in a file, as PEM.
pub(super) fn public_key(stage: &Stage, key: &PublicKey, name: &str) -> Result<String> {
    let der = stage.write(&format!("{name}.spki"), key.to_spki_der())?;
    let pem = stage.text(&format!("{name}.pub"));
    stage.plain()?.ok(&format!("pkey -pubin -inform DER -in {der} -out {pem}"))?;
    Ok(pem)
}

/// Verifies the service's signature of [`input`].
pub(super) fn check(
    stage: &Stage,
    key: &Key,
    algorithm: SignatureAlgorithm,
    signature: &[u8],
) -> Result<()> {
    let public = public_key(stage, key.public_key(), key.version())?;
    let der = match key.public_key() {
        PublicKey::Ec(_) => ecdsa::raw_to_der(signature)?,
        _ => signature.to_vec(),
    };
    let options = match algorithm.name().split_at(2).0 {
        "PS" => "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest",
        _ => "",
    };
    let (_, hash) = hash(algorithm);
    let verify = format!(
        "dgst -{hash} {options} -verify {public} -signature {} {}",
        stage.write("signature", der)?,
        message(stage)?
    );
    let said = stage.plain()?.ok(&verify).context("OpenSSL does not accept the signature")?;
    ensure!(said.text().contains("Verified OK"), "{}", said.describe());
    Ok(())
}
