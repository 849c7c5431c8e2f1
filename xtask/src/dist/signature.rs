//! Checksums of everything, and the releaser's signature of them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use xshell::{Shell, cmd};

use crate::needs;

/// The file that `sha256sum --check` reads.
pub(super) const SUMS: &str = "SHA256SUMS";

/// Its signature, which gpgv, sqv and every other OpenPGP program verify.
pub(super) const SIGNATURE: &str = "SHA256SUMS.asc";

/// Removes checksums and signature of earlier packages, so that they are never beside others.
pub(super) fn remove(output: &Path) -> Result<()> {
    for name in [SUMS, SIGNATURE] {
        match fs::remove_file(output.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// Writes the checksums of these files.
pub(super) fn checksums(output: &Path, files: &[PathBuf]) -> Result<PathBuf> {
    let shell = Shell::new()?;
    shell.change_dir(output);
    let names: Vec<_> = files.iter().filter_map(|file| file.file_name()).collect();
    let sums = cmd!(shell, "sha256sum {names...}").quiet().read().context("sha256sum failed")?;
    let file = output.join(SUMS);
    fs::write(&file, sums + "\n")?;
    Ok(file)
}

/// Whether gpg can sign with this key, so that a mistake in its name costs no quarter of an hour.
pub(super) fn check(key: &str) -> Result<()> {
    let missing = needs::install(&needs::FOR_SIGNATURES)?;
    ensure!(missing.is_empty(), "{}", needs::explain(&missing));
    let shell = Shell::new()?;
    cmd!(shell, "gpg --batch --quiet --list-secret-keys {key}")
        .quiet()
        .ignore_stdout()
        .ignore_stderr()
        .run()
        .with_context(|| {
            format!("gpg has no private key {key:?}; `gpg --list-secret-keys` lists those it has")
        })
}

/// Signs the checksums with a key of gpg, whose own folder may be given.
pub(super) fn sign(output: &Path, key: &str, home: Option<&Path>) -> Result<PathBuf> {
    let shell = Shell::new()?;
    shell.change_dir(output);
    let options = ["--batch", "--yes", "--quiet", "--armor", "--detach-sign"];
    let home = home.map(|home| [Path::new("--homedir"), home]).into_iter().flatten();
    cmd!(shell, "gpg {home...} {options...} --local-user {key} --output {SIGNATURE} {SUMS}")
        .quiet()
        .run()
        .with_context(|| format!("gpg cannot sign with the key {key:?}"))?;
    Ok(output.join(SIGNATURE))
}
