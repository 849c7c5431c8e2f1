//! C programs against the system's libcrypto, compiled when a test needs them.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{modules, process::Task};

/// Compiles `tests/c/NAME.c` into a folder.
///
/// # Errors
/// The compiler refuses; warnings are errors.
pub fn compile(name: &str, folder: &Path) -> Result<PathBuf> {
    let program = folder.join(name);
    let source = modules::workspace().join("tests/c").join(format!("{name}.c"));
    Task::new("cc")
        .args(["-std=c11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror"])
        .args(["-pthread", "-o"])
        .arg(&program)
        .arg(source)
        .arg("-lcrypto")
        .ok()?;
    Ok(program)
}
