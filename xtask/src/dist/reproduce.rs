//! The same packages, built again in another folder.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use xshell::{Shell, cmd};

/// Programs and their caches, which both builds use: they are no part of the results.
const SHARED: [&str; 2] = ["tools", "zigbuild"];

/// What a second build would not have.
///
/// # Errors
/// There are changes that are not committed.
pub(super) fn check_committed() -> Result<()> {
    let shell = Shell::new()?;
    shell.change_dir(akv_tests::modules::workspace());
    let changes = cmd!(shell, "git status --porcelain").quiet().read()?;
    ensure!(
        changes.is_empty(),
        "a second build is made of the last commit; commit these changes first:\n{changes}"
    );
    Ok(())
}

/// Clones the last commit into a temporary folder, builds everything there, and compares.
///
/// # Errors
/// A file differs, or only one build makes it.
pub(super) fn compare(files: &[PathBuf], target: &Path, debug: bool) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("second-build-").tempdir()?;
    let (clone, second) = (folder.path().join("sources"), folder.path().join("a/target"));
    fs::create_dir_all(&second)?;
    for name in SHARED {
        symlink(target.join(name), second.join(name))?;
    }
    println!("building again in {} (TMPDIR names another place)", clone.display());
    let shell = Shell::new()?;
    let (source, cargo) = (akv_tests::modules::workspace(), akv_tests::modules::cargo());
    cmd!(shell, "git clone --quiet {source} {clone}").quiet().run()?;
    shell.change_dir(&clone);
    let (result, debug) = (folder.path().join("dist"), debug.then_some("--debug"));
    cmd!(shell, "{cargo} run --quiet --package xtask -- dist {debug...} --output {result}")
        .env("CARGO_TARGET_DIR", &second)
        .env("TZ", "Asia/Kathmandu")
        .quiet()
        .ignore_stdout()
        .run()
        .context("the second build failed")?;
    identical(files, &result)?;
    println!("both builds made the same {} files", files.len());
    Ok(())
}

/// Checks that a folder has these files, and nothing else.
fn identical(files: &[PathBuf], other: &Path) -> Result<()> {
    ensure!(!files.is_empty(), "there are no files");
    let mut differ = BTreeSet::new();
    let mut others: BTreeSet<OsString> =
        fs::read_dir(other)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
    for file in files {
        let name = file.file_name().context("a name")?;
        others.remove(name);
        if fs::read(other.join(name)).ok() != Some(fs::read(file)?) {
            differ.insert(name.to_owned());
        }
    }
    differ.append(&mut others);
    if !differ.is_empty() {
        bail!("these files are not the same in both builds: {differ:?}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_differs_or_is_missing_is_found() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = [one.path().join("akv.deb")];
        fs::write(&files[0], "1").unwrap();
        identical(&[], other.path()).unwrap_err();
        identical(&files, other.path()).unwrap_err();
        fs::write(other.path().join("akv.deb"), "2").unwrap();
        let error = identical(&files, other.path()).unwrap_err().to_string();
        assert!(error.contains("akv.deb"), "{error}");
        fs::write(other.path().join("akv.deb"), "1").unwrap();
        identical(&files, other.path()).unwrap();
        fs::write(other.path().join("akv.rpm"), "1").unwrap();
        let error = identical(&files, other.path()).unwrap_err().to_string();
        assert!(error.contains("akv.rpm"), "{error}");
    }
}
