//! A key that signs one run's packages.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};
use tempfile::TempDir;
use xshell::{Shell, cmd};

use crate::{dist::signature, needs};

const ADDRESS: &str = "releaser@akv.invalid";

/// A key of gpg in a folder of its own.
pub(super) struct Releaser(TempDir);

impl Releaser {
    pub(super) fn new() -> Result<Self> {
        let missing = needs::install(&needs::FOR_SIGNATURES)?;
        ensure!(missing.is_empty(), "{}", needs::explain(&missing));
        // The path of a socket in it must be short.
        let folder = tempfile::Builder::new().prefix("akv-gpg-").tempdir_in("/tmp")?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))?;
        let (shell, home) = (Shell::new()?, folder.path());
        let options = ["--batch", "--quiet", "--passphrase", "", "--quick-generate-key"];
        cmd!(shell, "gpg --homedir {home} {options...} {ADDRESS} ed25519 sign 1d")
            .quiet()
            .ignore_stderr()
            .run()?;
        Ok(Self(folder))
    }

    /// Signs the checksums in a folder, and puts the public key beside them.
    pub(super) fn sign(&self, folder: &Path) -> Result<PathBuf> {
        let (shell, home) = (Shell::new()?, self.0.path());
        signature::sign(folder, ADDRESS, Some(home))?;
        let file = folder.join("releaser.pgp");
        cmd!(
            shell,
            "gpg --homedir {home} --batch --quiet --yes --output {file} --export {ADDRESS}"
        )
        .quiet()
        .run()?;
        Ok(file)
    }
}

impl Drop for Releaser {
    fn drop(&mut self) {
        // gpg leaves a process behind that holds keys.
        if let Ok(shell) = Shell::new() {
            let home = self.0.path();
            let _ = cmd!(shell, "gpgconf --homedir {home} --kill all").quiet().run();
        }
    }
}
