//! The files of the packages `akv`, `akv-provider` and `akv-engine`, in a layer of their own above the
//! cached system.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use akv_tests::modules;
use anyhow::{Context as _, Result};

const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

/// Makes the layer in this folder, of built modules.
pub(crate) fn lay_out(built: &Path, layer: PathBuf) -> Result<PathBuf> {
    let config = modules::workspace().join("packaging/files/openssl.cnf");
    for (from, folder, mode) in [
        (built.join("akv_provider.so"), format!("{LIBRARIES}/ossl-modules"), 0o644),
        (built.join("e_akv.so"), format!("{LIBRARIES}/engines-3"), 0o644),
        (built.join("akv"), "usr/bin".to_owned(), 0o755),
        (config, "etc/akv".to_owned(), 0o644),
    ] {
        let folder = layer.join(folder);
        fs::create_dir_all(&folder)?;
        let to = folder.join(from.file_name().context("a file")?);
        fs::copy(&from, &to).with_context(|| format!("cannot copy {from:?}"))?;
        fs::set_permissions(&to, fs::Permissions::from_mode(mode))?;
    }
    Ok(layer)
}
