//! AWS-LC's libssl, and the example that uses libakv with it.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::{modules, process::Task};

/// The variable that names the folder in which AWS-LC is installed; `cargo xtask hosts --aws-lc`
/// sets it.
pub const VARIABLE: &str = "AKV_AWS_LC";

/// Compiles `ffi/examples/aws_lc_server.c` into a folder, as `docs/c.md` describes.
///
/// # Errors
/// [`VARIABLE`] is not set, or the compilation fails; warnings are errors.
pub fn compile_server(folder: &Path) -> Result<PathBuf> {
    let aws_lc = env::var_os(VARIABLE).map(PathBuf::from);
    let aws_lc = aws_lc.with_context(|| {
        format!("{VARIABLE} is not set: run these tests by `cargo xtask hosts --aws-lc`")
    })?;
    let modules = modules::folder()?;
    let program = folder.join("aws_lc_server");
    Task::new("cc")
        .args(["-std=c11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"])
        .arg(modules::workspace().join("ffi/examples/aws_lc_server.c"))
        .arg("-I")
        .arg(modules)
        .arg("-I")
        .arg(aws_lc.join("include"))
        .arg("-L")
        .arg(modules)
        .arg(format!("-Wl,-rpath,{}", modules.display()))
        .arg("-lakv")
        .arg("-L")
        .arg(aws_lc.join("lib"))
        // Only static libraries are built.
        .args(["-lssl", "-lcrypto", "-o"])
        .arg(&program)
        .ok()?;
    Ok(program)
}
