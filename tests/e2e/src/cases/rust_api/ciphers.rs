//! Decryption and key wrapping with RSA.

use akv_core::EncryptionAlgorithm;
use anyhow::{Result, ensure};

use super::{
    super::judge::{self, MESSAGE},
    case, timed,
};
use crate::{
    case::{Case, Stopwatch},
    keys::Pair,
    stage::Stage,
};

pub(super) fn cases() -> Vec<Case> {
    use EncryptionAlgorithm::{Rsa15, RsaOaep, RsaOaep256};
    [
        (Rsa15, ""),
        (RsaOaep, "-pkeyopt rsa_padding_mode:oaep"),
        (RsaOaep256, "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256"),
    ]
    .into_iter()
    .flat_map(|(algorithm, options)| {
        [
            case(format!("decrypt what OpenSSL encrypted, {algorithm}"), move |stage, watch| {
                decrypt(stage, algorithm, options, watch)
            }),
            case(format!("wrap and unwrap, {algorithm}"), move |stage, watch| {
                wrap(stage, algorithm, watch)
            }),
        ]
    })
    .collect()
}

fn decrypt(
    stage: &Stage,
    algorithm: EncryptionAlgorithm,
    options: &str,
    watch: &Stopwatch,
) -> Result<()> {
    let key = stage.keys.pair(Pair::Rsa)?;
    let public = judge::public_key(stage, key.public_key(), key.version())?;
    let (message, sealed) = (judge::message(stage)?, stage.text("sealed"));
    stage.plain()?.ok(&format!(
        "pkeyutl -encrypt -pubin -inkey {public} {options} -in {message} -out {sealed}"
    ))?;
    let sealed = std::fs::read(sealed)?;
    let opened = timed(stage, watch, key.decrypt(algorithm, &sealed))?;
    ensure!(*opened == MESSAGE, "decrypted to something else");
    Ok(())
}

fn wrap(stage: &Stage, algorithm: EncryptionAlgorithm, watch: &Stopwatch) -> Result<()> {
    let key = stage.keys.pair(Pair::Rsa)?;
    let secret = [7; 32];
    let by_service = timed(stage, watch, key.wrap_key(algorithm, &secret))?;
    let locally = key.encrypt(algorithm, &secret)?;
    for wrapped in [by_service, locally] {
        let opened = timed(stage, watch, key.unwrap_key(algorithm, &wrapped))?;
        ensure!(*opened == secret, "unwrapped to something else");
    }
    Ok(())
}
