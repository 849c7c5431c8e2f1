//! AWS-LC of the system, instead of the sources in the crate `aws-lc-sys`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use akv_tests::{Task, aws_lc, modules};
use anyhow::{Context as _, Result, ensure};

/// Cargo compiles the dependencies first.
const LIMIT: Duration = Duration::from_secs(600);

/// AWS-LC as its authors build it hangs children of `fork`, see `.cargo/config.toml`, whose
/// variables do not change a library that is there already.
#[test]
fn aws_lc_of_the_system_is_refused_if_it_is_not_built_for_forks() -> Result<()> {
    let installed =
        env::var_os(aws_lc::VARIABLE).context("`cargo xtask hosts --aws-lc` sets it")?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("aws-lc-of-the-system");
    fs::create_dir_all(&folder)?;
    let bindings = folder.join("bindings.rs");
    fs::write(&bindings, bindings_of_the_crate()?)?;
    let output = cargo()
        .args(["check", "--quiet", "--offline", "--locked", "--package", "akv-core"])
        .env("CARGO_TARGET_DIR", &folder)
        .env("AWS_LC_SYS_SYSTEM_DIR", installed)
        .env("AWS_LC_SYS_SYSTEM_BINDINGS", bindings)
        .limit(LIMIT)
        .run()?;
    ensure!(!output.status.success(), "it was accepted: {}", output.describe());
    for part in [
        "AWS-LC is not built for programs that fork",
        "it wipes the random generators of all threads at exit",
        "it gathers entropy from CPU jitter",
        "AWS_LC_SYS_CFLAGS = \"-Ddestructor=unused\"",
    ] {
        ensure!(output.stderr.contains(part), "{part:?} is missing: {}", output.describe());
    }
    Ok(())
}

/// Rust's view of the library, which a distribution installs beside it: that of the crate, whose
/// first lines only fit its own place.
fn bindings_of_the_crate() -> Result<String> {
    let metadata = cargo().args(["metadata", "--format-version", "1", "--offline"]).ok()?.text();
    let at = metadata.find("/aws-lc-sys-").context("cargo names no aws-lc-sys")?;
    let start = metadata[..at].rfind('"').context("no path")? + 1;
    let end = at + metadata[at + 1..].find('/').context("no path")? + 1;
    let name = format!("{}_unknown_linux_gnu_crypto.rs", env::consts::ARCH);
    let file = PathBuf::from(&metadata[start..end]).join("src").join(name);
    let text = fs::read_to_string(&file).with_context(|| format!("no {file:?}"))?;
    let start = text.find("#![allow(").context("no attribute")?;
    let end = start + text[start..].find(")]").context("no end of the attribute")? + 2;
    Ok(text[..start].to_owned() + &text[end..])
}

fn cargo() -> Task {
    let mut task = Task::new(modules::cargo()).dir(modules::workspace());
    for name in ["CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
        if let Some(value) = env::var_os(name) {
            task = task.env(name, value);
        }
    }
    task
}
