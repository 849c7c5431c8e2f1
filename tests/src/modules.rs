//! Finds the built modules.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use anyhow::{Context as _, Result, anyhow};

use crate::process::Task;

/// The variable that names a folder of existing modules; `cargo xtask test` sets it.
pub const VARIABLE: &str = "AKV_TEST_MODULES";

/// Compiling everything on a small machine takes long.
const BUILD_LIMIT: std::time::Duration = std::time::Duration::from_secs(30 * 60);

/// The folder with the modules: built by `cargo xtask build`, once per test process, unless
/// [`VARIABLE`] names one.
///
/// # Errors
/// The build fails.
pub fn folder() -> Result<&'static Path> {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    FOLDER
        .get_or_init(|| find().map_err(|error| format!("{error:#}")))
        .as_deref()
        .map_err(|error| anyhow!("{error}"))
}

/// The provider's module.
///
/// # Errors
/// As [`folder`].
pub fn provider() -> Result<PathBuf> {
    Ok(folder()?.join("akv_provider.so"))
}

/// The engine's module.
///
/// # Errors
/// As [`folder`].
pub fn engine() -> Result<PathBuf> {
    Ok(folder()?.join("e_akv.so"))
}

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

/// The folder that [`VARIABLE`] names.
pub fn existing() -> Option<PathBuf> {
    std::env::var_os(VARIABLE).map(PathBuf::from)
}

fn find() -> Result<PathBuf> {
    if let Some(folder) = existing() {
        return Ok(folder);
    }
    let mut task = Task::new(cargo()).dir(workspace()).limit(BUILD_LIMIT);
    for name in ["CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "CARGO_TARGET_DIR", "RUSTFLAGS"] {
        if let Some(value) = std::env::var_os(name) {
            task = task.env(name, value);
        }
    }
    let built = task.args(["run", "--quiet", "--package", "xtask", "--", "build"]).ok()?;
    let printed = built.text();
    // The last word of the last line is the folder; see `cargo xtask build`.
    let folder = printed.lines().last().and_then(|line| line.strip_prefix("modules: "));
    folder.map(PathBuf::from).with_context(|| format!("no folder in:\n{}", built.describe()))
}

/// The cargo that runs this program.
pub fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}
