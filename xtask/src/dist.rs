//! `cargo xtask dist`: what is released: packages for Debian and for systems with rpm, and a tarball.

mod check;
mod manual;
mod markdown;
mod packages;
mod stage;
mod tarball;

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
use crate::build::{Build, target_folder};

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
}

impl Dist {
    /// Builds everything, and prints the files.
    pub(crate) fn run(&self) -> Result<()> {
        let shell = Shell::new()?;
        shell.change_dir(akv_tests::modules::workspace());
        let target = target_folder(&shell)?;
        let build = Build { release: !self.debug, glibc: Some(GLIBC) };
        let built = build.run_with_emulator()?;
        let output = self.output.clone().unwrap_or_else(|| target.join("dist"));
        fs::create_dir_all(&output)?;
        let output = output.canonicalize()?;
        let work = target.join("dist-work");
        if work.exists() {
            fs::remove_dir_all(&work)?;
        }
        let stage = Stage::make(&built, &work)?;
        let mut files = packages::debian(&stage, &target, &output)?;
        files.extend(packages::rpm(&stage, &target, &output)?);
        files.push(tarball::make(&stage, &output)?);
        files.sort();
        checksums(&output, &files)?;
        for file in &files {
            println!("{}", file.display());
        }
        println!("{}", output.join("SHA256SUMS").display());
        Ok(())
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

/// Writes `SHA256SUMS`, which `sha256sum --check` reads.
fn checksums(output: &Path, files: &[PathBuf]) -> Result<()> {
    let shell = Shell::new()?;
    shell.change_dir(output);
    let names: Vec<_> = files.iter().filter_map(|file| file.file_name()).collect();
    let sums = cmd!(shell, "sha256sum {names...}").quiet().read().context("sha256sum failed")?;
    Ok(fs::write(output.join("SHA256SUMS"), sums + "\n")?)
}
