//! `cargo xtask fuzz`: libFuzzer on everything that parses untrusted input.

use std::{fs, path::PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use xshell::{Shell, cmd};

use crate::build::target_folder;

/// The targets, which are the programs of `tests/fuzz/`.
const TARGETS: [&str; 6] =
    ["answer", "ecdsa_signature", "key_file", "key_reference", "provider", "settings"];

/// The length of `ENTRIES` in `tests/provider/abi/cases/mod.rs`.
const PROVIDER_ENTRIES: usize = 11;

/// The compiler flags for libFuzzer and AddressSanitizer, as set by `cargo fuzz`.
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

/// The platform for which the compiler includes the sanitizer's runtime.
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
    /// Number of inputs for each target, regardless of the time; the provider gets this number for
    /// each of its entry points.
    #[arg(long, conflicts_with = "seconds")]
    inputs: Option<u64>,
}

impl Fuzz {
    /// Builds the targets and runs them; stops at the first finding.
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
            // New inputs are written to the first folder; the second is committed.
            let found = folder.join("corpus").join(target);
            let examples = root.join("tests/fuzz/corpus").join(target);
            let artifacts = folder.join("artifacts").join(target);
            fs::create_dir_all(&found)?;
            fs::create_dir_all(&artifacts)?;
            let prefix = format!("-artifact_prefix={}/", artifacts.display());
            let amount = match self.inputs {
                Some(inputs) => format!("-runs={inputs}"),
                None => format!("-max_total_time={}", self.seconds),
            };
            let limits = ["-max_len=8192", "-timeout=10", "-rss_limit_mb=2048"];
            for entry in self.entries(target) {
                let run = cmd!(shell, "{program} {amount} {limits...} {prefix} {found} {examples}");
                if run.env("AKV_FUZZ_ENTRY", &entry).quiet().run().is_err() {
                    bail!("{target} has found a failure; the input is in {}", artifacts.display());
                }
                if !entry.is_empty() {
                    println!("{target}: entry point {entry} is done");
                }
            }
        }
        Ok(())
    }

    /// The numbers of a target's entry points, each of which gets all inputs. An empty one leaves
    /// the choice to the input.
    fn entries(&self, target: &str) -> Vec<String> {
        match (target, self.inputs) {
            ("provider", Some(_)) => (0..PROVIDER_ENTRIES).map(|entry| entry.to_string()).collect(),
            _ => vec![String::new()],
        }
    }

    fn build(&self, shell: &Shell, folder: &PathBuf) -> Result<()> {
        let cargo = akv_tests::modules::cargo();
        let manifest = "tests/fuzz/Cargo.toml";
        // The sanitizer is not a stable option of the compiler, but needs nothing else unstable.
        let build = cmd!(
            shell,
            "{cargo} build --release --locked --manifest-path {manifest} --target {PLATFORM}"
        );
        let build = build.env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_DIR", folder);
        Ok(build.env("RUSTFLAGS", FLAGS.join(" ")).quiet().run()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_entry_point_of_the_provider_is_left_out() {
        let cases = include_str!("../../tests/provider/abi/cases/mod.rs");
        assert!(cases.contains(&format!("ENTRIES: [(&str, Entry); {PROVIDER_ENTRIES}]")));
    }
}
