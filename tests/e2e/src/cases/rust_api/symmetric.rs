//! The AES key of a Managed HSM.

use akv_core::{CbcAlgorithm, GcmAlgorithm, KeyWrapAlgorithm};
use anyhow::{Result, bail, ensure};

use super::{super::judge::MESSAGE, case, timed};
use crate::{
    case::{Case, Stopwatch},
    stage::Stage,
};

const IV: [u8; 16] = [9; 16];

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("wrap and unwrap, A256KW", wrap),
        case("encrypt and decrypt, A256CBCPAD", cbc),
        case("encrypt and decrypt, A256GCM; modified data is rejected", gcm),
    ]
}

fn wrap(stage: &Stage, watch: &Stopwatch) -> Result<()> {
    let (key, secret) = (stage.keys.aes()?, [7; 32]);
    let wrapped = timed(stage, watch, key.wrap_key(KeyWrapAlgorithm::A256Kw, &secret))?;
    ensure!(wrapped.len() == secret.len() + 8, "RFC 3394 adds eight bytes");
    let opened = timed(stage, watch, key.unwrap_key(KeyWrapAlgorithm::A256Kw, &wrapped))?;
    ensure!(*opened == secret, "unwrapped to something else");
    Ok(())
}

fn cbc(stage: &Stage, watch: &Stopwatch) -> Result<()> {
    let (key, algorithm) = (stage.keys.aes()?, CbcAlgorithm::A256CbcPad);
    let sealed = timed(stage, watch, key.encrypt(algorithm, &IV, MESSAGE))?;
    ensure!(sealed.len() == MESSAGE.len() / 16 * 16 + 16, "{} bytes", sealed.len());
    let opened = timed(stage, watch, key.decrypt(algorithm, &IV, &sealed))?;
    ensure!(*opened == MESSAGE, "decrypted to something else");
    Ok(())
}

fn gcm(stage: &Stage, watch: &Stopwatch) -> Result<()> {
    let (key, algorithm) = (stage.keys.aes()?, GcmAlgorithm::A256Gcm);
    let mut sealed = timed(stage, watch, key.seal(algorithm, MESSAGE, b"aad"))?;
    let opened = timed(stage, watch, key.open(algorithm, &sealed, b"aad"))?;
    ensure!(*opened == MESSAGE, "decrypted to something else");
    if stage.attempt(key.open(algorithm, &sealed, b"other"))?.is_ok() {
        bail!("it opened with other additional data");
    }
    sealed.ciphertext[0] ^= 1;
    if stage.attempt(key.open(algorithm, &sealed, b"aad"))?.is_ok() {
        bail!("it opened what was changed");
    }
    Ok(())
}
