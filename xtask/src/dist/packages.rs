//! Packages, as `packaging/Cargo.toml` describes them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use xshell::{Shell, cmd};

use super::{source_date, stage::Stage};
use crate::tools::{CARGO_DEB, CARGO_GENERATE_RPM};

/// Makes `NAME_VERSION-1_amd64.deb` of each package.
pub(super) fn debian(stage: &Stage, target: &Path, output: &Path) -> Result<Vec<PathBuf>> {
    let program = CARGO_DEB.program(target)?;
    let shell = shell(stage)?;
    let mut files = Vec::new();
    for variant in variants(&shell, "deb")? {
        let folder = stage.folder.join("deb").join(&variant);
        let options = ["--no-build", "--no-strip", "--quiet", "--variant"];
        cmd!(shell, "{program} {options...} {variant} --output {folder}/")
            .quiet()
            .run()
            .with_context(|| format!("the package {variant} cannot be made"))?;
        files.push(collect(&folder, "deb", output)?);
    }
    Ok(files)
}

/// Makes `NAME-VERSION-1.x86_64.rpm` of each package.
pub(super) fn rpm(stage: &Stage, target: &Path, output: &Path) -> Result<Vec<PathBuf>> {
    let program = CARGO_GENERATE_RPM.program(target)?;
    let shell = shell(stage)?;
    let mut files = Vec::new();
    for variant in variants(&shell, "generate-rpm")? {
        let folder = stage.folder.join("rpm").join(&variant);
        fs::create_dir_all(&folder)?;
        cmd!(shell, "{program} --variant {variant} --output {folder}/ --target-dir {folder}")
            .quiet()
            .run()
            .with_context(|| format!("the package {variant} cannot be made"))?;
        files.push(collect(&folder, "rpm", output)?);
    }
    Ok(files)
}

/// A shell in the stage's folder.
fn shell(stage: &Stage) -> Result<Shell> {
    let shell = Shell::new()?;
    shell.set_var("SOURCE_DATE_EPOCH", source_date()?);
    shell.change_dir(&stage.folder);
    Ok(shell)
}

/// The packages that the manifest lists for a tool.
fn variants(shell: &Shell, tool: &str) -> Result<Vec<String>> {
    let cargo = akv_tests::modules::cargo();
    let metadata = cmd!(shell, "{cargo} metadata --format-version 1 --no-deps").quiet().read()?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let variants = &metadata["packages"][0]["metadata"][tool]["variants"];
    let variants = variants.as_object().with_context(|| format!("no variants for {tool}"))?;
    ensure!(!variants.is_empty(), "no variants for {tool}");
    Ok(variants.keys().cloned().collect())
}

/// Copies the only file of this kind from one folder to another.
fn collect(folder: &Path, extension: &str, output: &Path) -> Result<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    let [file] = &found[..] else { bail!("not one package in {folder:?}: {found:?}") };
    let to = output.join(file.file_name().context("a name")?);
    fs::copy(file, &to)?;
    Ok(to)
}
