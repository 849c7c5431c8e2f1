//! `cargo xtask fuzz`: libFuzzer on everything that reads what others wrote.

use std::{fs, path::PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use xshell::{Shell, cmd};

use crate::build::target_folder;

/// The targets, which are the programs of `tests/fuzz/`.
const TARGETS: [&str; 6] =
    ["answer", "ecdsa_signature", "key_file", "key_reference", "provider", "settings"];

/// What libFuzzer needs of the compiler, and the sanitizer of addresses. It is what `cargo fuzz`
/// sets too.
const FLAGS: [&str; 8] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Zsanitizer=address",
    "-Cdebug-assertions",
];

/// The sanitizer's runtime comes with the compiler for this one.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// Arguments of `cargo xtask fuzz`.
#[derive(Args)]
pub(crate) struct Fuzz {
    /// One target; all by default.
    #[arg(value_parser = TARGETS)]
    target: Option<String>,
    /// How long each target runs.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

impl Fuzz {
    /// Builds the targets and runs them; the first finding ends it.
    pub(crate) fn run(&self) -> Result<()> {
        let shell = Shell::new()?;
        let root = akv_tests::modules::workspace();
        shell.change_dir(root);
        let folder = target_folder(&shell)?.join("fuzz");
        self.build(&shell, &folder)?;
        for target in TARGETS {
            if self.target.as_deref().is_some_and(|wanted| wanted != target) {
                continue;
            }
            let program = folder.join(PLATFORM).join("release").join(target);
            // New inputs go into the first folder; the second is committed.
            let found = folder.join("corpus").join(target);
            let examples = root.join("tests/fuzz/corpus").join(target);
            let artifacts = folder.join("artifacts").join(target);
            fs::create_dir_all(&found)?;
            fs::create_dir_all(&artifacts)?;
            let prefix = format!("-artifact_prefix={}/", artifacts.display());
            let time = format!("-max_total_time={}", self.seconds);
            let limits = ["-max_len=8192", "-timeout=10", "-rss_limit_mb=2048"];
            let run = cmd!(shell, "{program} {time} {limits...} {prefix} {found} {examples}");
            if run.quiet().run().is_err() {
                bail!("{target} has found something; the input is in {}", artifacts.display());
            }
        }
        Ok(())
    }

    fn build(&self, shell: &Shell, folder: &PathBuf) -> Result<()> {
        let cargo = akv_tests::modules::cargo();
        let manifest = "tests/fuzz/Cargo.toml";
        // The sanitizer is not a stable option of the compiler, but needs nothing else.
        let build = cmd!(
            shell,
            "{cargo} build --release --locked --manifest-path {manifest} --target {PLATFORM}"
        );
        let build = build.env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_DIR", folder);
        Ok(build.env("RUSTFLAGS", FLAGS.join(" ")).quiet().run()?)
    }
}
