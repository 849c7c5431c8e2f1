//! `cargo xtask build`: the artifacts, under their public names, in one folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::Value;
use xshell::{Shell, cmd};

/// What exists so far: cargo package, file name that cargo gives it, public name.
const ARTIFACTS: [(&str, &str, &str); 2] = [
    ("provider-shim", "libakv_provider.so", "akv_provider.so"),
    ("engine-shim", "libe_akv.so", "e_akv.so"),
];

/// Arguments of `cargo xtask build`.
#[derive(Args, Default)]
pub(crate) struct Build {
    /// Optimized and stripped, as it is meant to be installed. Takes minutes.
    #[arg(long)]
    pub(crate) release: bool,
}

impl Build {
    /// Builds, copies, and prints what is where; the last line is `modules: FOLDER`.
    pub(crate) fn run(&self) -> Result<PathBuf> {
        let folder = self.build()?;
        println!("modules: {}", folder.display());
        Ok(folder)
    }

    fn build(&self) -> Result<PathBuf> {
        let shell = Shell::new()?;
        shell.change_dir(akv_tests::modules::workspace());
        let cargo = akv_tests::modules::cargo();
        let target = target_folder(&shell)?;
        let folder = target.join("modules");
        fs::create_dir_all(&folder)?;
        let profile = if self.release { "release" } else { "debug" };
        let release = self.release.then_some("--release");
        let packages = ARTIFACTS.iter().flat_map(|(package, ..)| ["--package", package]);
        cmd!(shell, "{cargo} build {release...} {packages...}").quiet().run()?;
        for (package, built, name) in ARTIFACTS {
            let built = target.join(profile).join(built);
            let installed = folder.join(name);
            install(&built, &installed)
                .with_context(|| format!("cannot put {name} of {package} into {folder:?}"))?;
            let size = fs::metadata(&installed)?.len();
            println!("{name}: {profile} build, {:.1} MB", size as f64 / 1e6);
        }
        Ok(folder)
    }
}

/// Cargo's target folder, wherever it is set.
pub(crate) fn target_folder(shell: &Shell) -> Result<PathBuf> {
    let cargo = akv_tests::modules::cargo();
    let metadata = cmd!(shell, "{cargo} metadata --format-version 1 --no-deps").quiet().read()?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    match metadata["target_directory"].as_str() {
        Some(folder) => Ok(folder.into()),
        None => bail!("`cargo metadata` names no target folder"),
    }
}

/// Replaces a file in one step: a running server may have the old one mapped.
fn install(built: &Path, installed: &Path) -> io::Result<()> {
    let folder = installed.parent().unwrap_or_else(|| Path::new("."));
    let beside = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    fs::copy(built, beside.path())?;
    beside.persist(installed)?;
    Ok(())
}
