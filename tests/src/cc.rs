//! C programs that use libcrypto, compiled when a test needs them.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{installation::Installation, modules, process::Task, site::Site};

/// Compiles `tests/c/NAME.c`, such as `provider/lengths`, into a folder.
///
/// # Errors
/// The compilation fails; warnings are errors.
pub fn compile(name: &str, folder: &Path) -> Result<PathBuf> {
    let program = folder.join(file_name(name));
    compile_with(name, &program, &["-Wl,--as-needed", "-lssl", "-lcrypto"])
}

/// As [`compile`], with libcrypto linked statically and not exported.
///
/// # Errors
/// As [`compile`].
pub fn compile_static(name: &str, folder: &Path) -> Result<PathBuf> {
    let program = folder.join(format!("{}-static", file_name(name)));
    compile_with(name, &program, &["-l:libcrypto.a", "-ldl"])
}

/// The folder of the programs, with the headers that several of them share.
pub fn folder() -> PathBuf {
    modules::workspace().join("tests/c")
}

/// The source of a program.
pub fn source(name: &str) -> PathBuf {
    folder().join(format!("{name}.c"))
}

/// The name of a program without its folder.
pub fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn compile_with(name: &str, program: &Path, libraries: &[&str]) -> Result<PathBuf> {
    Task::new("cc")
        .args(["-std=c11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror"])
        .args(Installation::selected().compiler_arguments())
        .arg("-iquote")
        .arg(folder())
        .args(["-pthread", "-o"])
        .arg(program)
        .arg(source(name))
        .args(libraries)
        .ok()?;
    Ok(program.to_owned())
}

/// A C program that loads the module, with a site's vault, and with tokens from the metadata
/// service of a virtual machine. It finds the settings in `OPENSSL_CONF` and in the environment.
///
/// # Errors
/// The compilation fails, or the configuration cannot be written.
pub fn host(site: &Site, name: &str) -> Result<Task> {
    let program = compile(name, site.folder())?;
    let mut settings = site.settings();
    settings.retain(|(name, _)| *name != "access-token-file");
    settings.push(("credential", "managed-identity".into()));
    let config = site.configure("identity.cnf", &modules::provider()?, &settings)?;
    Ok(Task::new(program)
        .env("OPENSSL_CONF", config)
        .env("IMDS_ENDPOINT", site.vault().imds_endpoint()))
}
