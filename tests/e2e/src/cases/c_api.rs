//! The C API, through its example program.

use akv_core::VaultKind;
use akv_tests::{Task, modules};
use anyhow::{Context as _, Result, ensure};

use super::{
    judge::{self, message},
    programs::need,
};
use crate::{
    case::{Case, Front, Stopwatch},
    keys::Pair,
    stage::Stage,
};

pub(super) fn cases(kind: VaultKind) -> Vec<Case> {
    let mut cases = vec![Case::new(Front::CApi, "a missing key is reported", missing)];
    for pair in Pair::ALL {
        for algorithm in pair.algorithms(kind) {
            // It takes an external digest, and the example hashes by itself.
            if algorithm.digest_len().is_none() {
                continue;
            }
            let name = format!("sign_file, {algorithm}");
            cases.push(Case::new(Front::CApi, name, move |stage, watch| {
                let key = stage.keys.pair(pair)?;
                let (message, signature) = (message(stage)?, stage.text("c.sig"));
                let reference = key.reference().to_string();
                let sign = || {
                    let task = stage.task(example(stage)?);
                    task.args([&reference, algorithm.name(), &message, &signature]).ok()
                };
                watch.time(sign)?;
                let signature = std::fs::read(&signature)?;
                let raw = match pair {
                    Pair::Rsa => signature,
                    Pair::Ec(curve) => akv_core::ecdsa::der_to_raw(&signature, curve)?,
                };
                judge::check(stage, &key, algorithm, &raw)
            }));
        }
    }
    cases
}

/// Compiles the example once, using only the output of `cargo xtask build`.
fn example(stage: &Stage) -> Result<std::path::PathBuf> {
    need("cc")?;
    let (program, modules) = (stage.path("sign_file"), modules::folder()?);
    if !program.exists() {
        Task::new("cc")
            .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&program)
            .arg(modules::workspace().join("ffi/examples/sign_file.c"))
            .arg("-I")
            .arg(modules)
            .arg("-L")
            .arg(modules)
            .arg("-lakv")
            .arg(format!("-Wl,-rpath,{}", modules.display()))
            .ok()
            .context("the example does not compile")?;
    }
    Ok(program)
}

fn missing(stage: &Stage, _: &Stopwatch) -> Result<()> {
    let reference = stage.target.reference(&stage.keys.name("missing"));
    let task = stage.task(example(stage)?);
    let said = task.args([&reference, "ES256", &message(stage)?, &stage.text("c.sig")]).run()?;
    ensure!(said.status.code() == Some(1), "{}", said.describe());
    for word in [reference.as_str(), "404", "request id"] {
        ensure!(said.stderr.contains(word), "no {word:?} in {}", said.describe());
    }
    Ok(())
}
