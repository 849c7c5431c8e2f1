//! `cargo xtask dist`: what is released: packages for Debian and for systems with rpm, and a tarball.

mod check;
mod manual;
mod markdown;
mod packages;
mod reproduce;
mod signature;
mod stage;
mod tarball;
mod third_party;

use std::{
    fs,
    path::{Path, PathBuf},
};

use akv_tests::Glibc;
use anyhow::{Context as _, Result};
use clap::Args;
use xshell::{Shell, cmd};

pub(crate) use self::check::packages;
use self::stage::Stage;
use crate::{
    build::{Build, target_folder},
    cache,
    tools::CARGO_AUDITABLE,
};

/// The oldest C library that the packages support: that of Rust's own libraries.
const GLIBC: Glibc = Glibc::new(2, 17);

/// Arguments of `cargo xtask dist`.
#[derive(Args)]
pub(crate) struct Dist {
    /// Packs unoptimized builds, to try the packages. They are large.
    #[arg(long)]
    debug: bool,
    /// The folder for the results; by default `dist` in cargo's target folder.
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Signs the checksums with this private key of gpg: a fingerprint or an address.
    #[arg(long, value_name = "KEY")]
    sign_key: Option<String>,
    /// Builds the last commit a second time, in another folder, and compares. Takes twice as long.
    #[arg(long)]
    check_reproducible: bool,
}

impl Dist {
    /// Builds everything, and prints the files.
    pub(crate) fn run(&self) -> Result<()> {
        if let Some(key) = &self.sign_key {
            signature::check(key)?;
        }
        if self.check_reproducible {
            reproduce::check_committed()?;
        }
        let shell = Shell::new()?;
        shell.change_dir(akv_tests::modules::workspace());
        let target = target_folder(&shell)?;
        let output = self.output.clone().unwrap_or_else(|| target.join("dist"));
        fs::create_dir_all(&output).with_context(|| format!("cannot create {output:?}"))?;
        let output = output.canonicalize()?;
        let _lock = cache::lock(&target.join("dist-lock"), "makes packages")?;
        signature::remove(&output)?;
        let mut files = self.make(&target, &output)?;
        files.sort();
        files.push(signature::checksums(&output, &files)?);
        if self.check_reproducible {
            reproduce::compare(&files, &target, self.debug)?;
        }
        if let Some(key) = &self.sign_key {
            files.push(signature::sign(&output, key, None)?);
        }
        for file in &files {
            println!("{}", file.display());
        }
        Ok(())
    }

    fn make(&self, target: &Path, output: &Path) -> Result<Vec<PathBuf>> {
        let build = Build { release: !self.debug, glibc: Some(GLIBC) };
        let built = build.run_for_release(CARGO_AUDITABLE.program(target)?)?;
        let work = target.join("dist-work");
        if work.exists() {
            fs::remove_dir_all(&work)?;
        }
        let stage = Stage::make(&built, &work)?;
        third_party::add(&stage, target)?;
        let mut files = packages::debian(&stage, target, output)?;
        files.extend(packages::rpm(&stage, target, output)?);
        files.push(tarball::make(&stage, output)?);
        Ok(files)
    }
}

/// The time of all files in the results, in seconds since 1970: `SOURCE_DATE_EPOCH`, or that of the last
/// commit.
fn source_date() -> Result<String> {
    if let Ok(seconds) = std::env::var("SOURCE_DATE_EPOCH") {
        return Ok(seconds);
    }
    let shell = Shell::new()?;
    shell.change_dir(akv_tests::modules::workspace());
    cmd!(shell, "git log -1 --format=%ct")
        .quiet()
        .read()
        .context("outside of a git checkout, set SOURCE_DATE_EPOCH")
}
