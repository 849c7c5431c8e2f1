//! A tarball with the same files as the packages, and a script that installs and removes them.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use xshell::{Shell, cmd};

use super::{source_date, stage::Stage};

/// Makes `akv-VERSION-x86_64-linux.tar.gz`.
pub(super) fn make(stage: &Stage, output: &Path) -> Result<PathBuf> {
    let name = format!("akv-{}-x86_64-linux", stage.version);
    let folder = stage.folder.join("tarball");
    let root = folder.join(&name);
    fs::create_dir_all(&root)?;
    let (shell, files) = (Shell::new()?, stage.path("."));
    cmd!(shell, "cp -a {files} {root}").quiet().run()?;
    let source = akv_tests::modules::workspace().join("packaging/files/install.sh");
    let script = root.join("install.sh");
    fs::copy(&source, &script).context("no install.sh")?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    let seconds = source_date()?;
    let archive = output.join(format!("{name}.tar.gz"));
    shell.change_dir(&folder);
    // Nothing of this machine or of the time of the build.
    let options =
        ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=u+rwX,go=rX"];
    let time = format!("--mtime=@{seconds}");
    let compress = "--use-compress-program=gzip -n -9";
    cmd!(shell, "tar --create --file {archive} {options...} {time} {compress} {name}")
        .quiet()
        .run()?;
    Ok(archive)
}
