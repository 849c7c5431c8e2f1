//! Signatures, with every algorithm of the service for the key.

use akv_core::{Curve, SignatureAlgorithm, VaultKind};
use anyhow::{Result, bail, ensure};

use super::{super::judge, case, timed};
use crate::{
    case::{Case, Stopwatch},
    keys::Pair,
    stage::Stage,
};

/// Signatures per case, so that their times are meaningful.
const ROUNDS: usize = 3;

/// Number of concurrent tasks, and signatures of each.
const TASKS: usize = 16;
const EACH: usize = 4;

pub(super) fn cases(kind: VaultKind) -> Vec<Case> {
    let mut cases = Vec::new();
    for pair in Pair::ALL {
        for algorithm in pair.algorithms(kind) {
            cases.push(case(format!("sign, {algorithm}"), move |stage, watch| {
                sign(stage, pair, algorithm, watch)
            }));
        }
    }
    if kind == VaultKind::ManagedHsm {
        cases.push(case("sign, RSNULL is refused", null_is_refused));
    }
    cases.push(case("sign a message", message));
    cases.push(case("64 signatures by 16 tasks share connections", together));
    cases
}

fn sign(stage: &Stage, pair: Pair, algorithm: SignatureAlgorithm, watch: &Stopwatch) -> Result<()> {
    let key = stage.keys.pair(pair)?;
    let input = judge::input(algorithm);
    for _ in 0..ROUNDS {
        let signature = timed(stage, watch, key.sign(algorithm, &input))?;
        judge::check(stage, &key, algorithm, &signature)?;
    }
    Ok(())
}

fn null_is_refused(stage: &Stage, _: &Stopwatch) -> Result<()> {
    let key = stage.keys.pair(Pair::Rsa)?;
    let algorithm = SignatureAlgorithm::RsNull;
    let input = judge::input(algorithm);
    let result = stage.attempt(key.sign(algorithm, &input))?;
    match result {
        Ok(_) => bail!("the HSM signed what it is documented not to"),
        Err(_) => Ok(()),
    }
}

fn message(stage: &Stage, watch: &Stopwatch) -> Result<()> {
    let key = stage.keys.pair(Pair::Ec(Curve::P384))?;
    let algorithm = SignatureAlgorithm::Es384;
    let signature = timed(stage, watch, key.sign_message(algorithm, judge::MESSAGE))?;
    judge::check(stage, &key, algorithm, &signature)
}

fn together(stage: &Stage, watch: &Stopwatch) -> Result<()> {
    let key = stage.keys.pair(Pair::Ec(Curve::P256))?;
    let algorithm = SignatureAlgorithm::Es256;
    let before = stage.client.counters();
    let all = async {
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let key = key.clone();
                tokio::spawn(async move {
                    let mut signatures = Vec::new();
                    for _ in 0..EACH {
                        signatures.push(key.sign(algorithm, &judge::input(algorithm)).await?);
                    }
                    Ok::<_, akv_core::Error>(signatures)
                })
            })
            .collect();
        let mut signatures = Vec::new();
        for task in tasks {
            signatures.extend(task.await??);
        }
        Ok::<_, anyhow::Error>(signatures)
    };
    let signatures = watch.time(|| stage.block_on(all))?;
    ensure!(signatures.len() == TASKS * EACH, "{} signatures", signatures.len());
    // The library has verified each one; independent verification of one is enough.
    judge::check(stage, &key, algorithm, &signatures[0])?;
    let opened = stage.client.counters().connections.saturating_sub(before.connections);
    ensure!(opened <= TASKS as u64, "{opened} connections for {TASKS} tasks");
    Ok(())
}
