//! libakv, the library for C, in C programs.

mod allowed_keys;
mod cancellation;
mod functions;
mod lengths;
mod memory;
mod module;
mod pending;
mod residue;

use std::path::{Path, PathBuf};

use akv_emulator::{Curve, NewKey, Persona};
use akv_tests::{Site, Task, cc, modules};
use anyhow::{Context as _, Result};

/// A Managed HSM, and the arguments of `functions.c`: the HSM, a key pair, an RSA and an AES key.
fn scene() -> Result<(Site, Vec<String>)> {
    let site = Site::start(Persona::ManagedHsm)?;
    site.vault().create_key(NewKey::oct("aes", 256).hsm(true))?;
    let keys = [site.reference(""), site.ec(Curve::P256)?, site.rsa(2048)?, site.reference("aes")];
    Ok((site, keys.into()))
}

/// Compiles a C program using, but for the options, only the output of `cargo xtask build`.
fn compile(source: &Path, folder: &Path, options: &[&str]) -> Result<PathBuf> {
    let (name, modules) = (source.file_stem().context("a name")?, modules::folder()?);
    let program = folder.join(name);
    Task::new("cc")
        .args(["-std=c11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"])
        .args(options)
        .arg("-I")
        .arg(modules)
        .arg("-o")
        .arg(&program)
        .arg(source)
        .arg("-L")
        .arg(modules)
        .arg("-lakv")
        .arg(format!("-Wl,-rpath,{}", modules.display()))
        .ok()?;
    Ok(program)
}

/// Passes the settings for the site's vault in the environment.
fn with_settings(task: Task, site: &Site) -> Task {
    site.settings().into_iter().fold(task, |task, (name, value)| {
        task.env(format!("AKV_{}", name.to_uppercase().replace('-', "_")), value)
    })
}

/// Compiles `tests/c/c_api/NAME.c`.
fn build(name: &str, site: &Site) -> Result<PathBuf> {
    let shared = cc::folder().display().to_string();
    compile(&cc::source(&format!("c_api/{name}")), site.folder(), &["-iquote", &shared])
}

/// The bytes after this name in a line of the program's output.
fn printed(text: &str, name: &str) -> Result<Vec<u8>> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).context("a line")?.trim();
    let pairs = line.as_bytes().chunks(2).map(|pair| Ok(str::from_utf8(pair)?));
    pairs.map(|pair: Result<_>| Ok(u8::from_str_radix(pair?, 16)?)).collect()
}
