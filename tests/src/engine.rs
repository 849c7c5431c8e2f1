//! The ENGINE in front of a site's vault: configuration files, and C programs of either API.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};

use anyhow::{Context as _, Result};

use crate::{Installation, OpenSsl, Site, Task, cc, modules};

/// The arguments with which an `openssl` command takes its key from the engine.
pub const KEY: &str = "-engine e_akv -keyform engine";

/// Whether the selected OpenSSL is 1.1.1.
///
/// # Errors
/// Its `openssl` program does not run.
pub fn is_1_1_1() -> Result<bool> {
    static VERSION: OnceLock<Result<String, String>> = OnceLock::new();
    let version = VERSION
        .get_or_init(|| Installation::selected().version().map_err(|error| format!("{error:#}")));
    let version = version.as_deref().map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(version.starts_with("1.1.1"))
}

/// The engine's section of a configuration file, with the settings for the site's vault.
///
/// # Errors
/// The module cannot be built.
pub fn section(site: &Site, more: &str) -> Result<String> {
    let mut text = format!("engine_id = e_akv\ndynamic_path = {}\n", modules::engine()?.display());
    for (name, value) in site.settings() {
        let name = name.to_uppercase().replace('-', "_");
        text.push_str(&format!("{name} = {value}\n"));
    }
    text.push_str(more);
    Ok(text)
}

/// Writes a configuration file that loads the engine, works for `req`, and ends the engine's
/// section with more lines, such as `default_algorithms = ALL`.
///
/// # Errors
/// The file cannot be written.
pub fn configure(site: &Site, file: &str, more: &str) -> Result<PathBuf> {
    let path = site.path(file);
    replace(&path, configuration(&section(site, more)?).as_bytes())?;
    Ok(path)
}

/// A configuration file that loads the engine with this section, and works for `req`.
pub fn configuration(section: &str) -> String {
    format!(
        "openssl_conf = openssl_init\n[openssl_init]\nengines = engines\n\
         [engines]\ne_akv = e_akv\n[e_akv]\n{section}\n{REQUESTS}"
    )
}

/// Writes a file in one step: tests that share a site write the same ones.
///
/// # Errors
/// It cannot be written.
pub fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let beside = tempfile::NamedTempFile::new_in(folder)?;
    fs::write(beside.path(), content)?;
    beside.persist(path)?;
    Ok(())
}

/// The part of a configuration file that `req` requires even without the engine.
pub const REQUESTS: &str = "[req]\ndistinguished_name = distinguished_name\n\
    x509_extensions = extensions\n[distinguished_name]\n[extensions]\n\
    subjectAltName = DNS:localhost\nbasicConstraints = CA:TRUE\n";

/// `openssl` with the engine loaded by its configuration file.
///
/// # Errors
/// As [`configure`].
pub fn openssl(site: &Site) -> Result<OpenSsl> {
    Ok(OpenSsl::new(configure(site, "engine.cnf", "default_algorithms = ALL\n")?, site.folder()))
}

/// `openssl` without the engine.
///
/// # Errors
/// The configuration file cannot be written.
pub fn plain(site: &Site) -> Result<OpenSsl> {
    let path = site.path("no-engine.cnf");
    replace(&path, REQUESTS.as_bytes())?;
    Ok(OpenSsl::new(path, site.folder()))
}

/// Writes the public key of a reference, as returned by the engine.
///
/// # Errors
/// `openssl` fails.
pub fn public_key(site: &Site, reference: &str) -> Result<String> {
    let path = site.path(&format!("{}.engine.pub", reference.replace([':', '/', '?'], "-")));
    let command = format!("pkey -engine e_akv -inform engine -in {reference} -pubout");
    replace(&path, &openssl(site)?.ok(&command)?.stdout)?;
    Ok(path.display().to_string())
}

/// A self-signed certificate for `localhost`.
///
/// # Errors
/// `openssl` fails.
pub fn certificate(site: &Site, reference: &str, name: &str) -> Result<String> {
    let path = site.text(&format!("{name}.engine.pem"));
    openssl(site)?
        .ok(&format!("req -new -x509 {KEY} -key {reference} -subj /CN=localhost -out {path}"))?;
    Ok(path)
}

/// Compiles `tests/c/NAME.c`, such as `engine/lengths`, against the selected OpenSSL, 1.1.1 or 3.x.
///
/// # Errors
/// The compilation fails; warnings are errors.
pub fn compile(site: &Site, name: &str, libraries: &[&str]) -> Result<PathBuf> {
    let program =
        tempfile::Builder::new().prefix(cc::file_name(name)).tempfile_in(site.folder())?;
    let program = program.into_temp_path().keep()?;
    Task::new("cc")
        .args(["-std=c11", "-D_GNU_SOURCE", "-DOPENSSL_SUPPRESS_DEPRECATED", "-O1", "-g"])
        .args(["-Wall", "-Wextra", "-Werror"])
        .args(Installation::selected().compiler_arguments())
        .arg("-iquote")
        .arg(cc::folder())
        .args(["-pthread", "-o"])
        .arg(&program)
        .arg(cc::source(name))
        .args(libraries)
        .ok()?;
    Ok(program)
}

/// A compiled C program with the settings for the site's vault in its environment. It loads the
/// module in its first argument by itself.
///
/// # Errors
/// The module or the program cannot be built.
pub fn program(site: &Site, name: &str) -> Result<Task> {
    let mut task = Task::new(compile(site, name, &["-lcrypto"])?)
        .env("OPENSSL_CONF", plain(site)?.config())
        .arg(modules::engine()?);
    for (name, value) in site.settings() {
        task = task.env(format!("AKV_{}", name.to_uppercase().replace('-', "_")), value);
    }
    Ok(task)
}

/// Runs a program that loads the engine, and loads and frees a key with it, this many times each.
/// Returns the growth of its resident memory, in KiB, from a tenth of the run to the end.
///
/// # Errors
/// The program fails, or does not end within ten minutes.
pub fn growth(site: &Site, key: &str, loads: &str, cycles: &str) -> Result<i64> {
    let task = program(site, "engine/cycle")?.args([key, loads, cycles]);
    let text = task.limit(Duration::from_secs(600)).ok()?.text();
    let (before, after) = text.trim().split_once(' ').context("two numbers")?;
    Ok(after.parse::<i64>()? - before.parse::<i64>()?)
}

/// How many entries of the engine a program's standard error shows.
pub fn entries(stderr: &str) -> usize {
    stderr.lines().filter(|line| is_entry(line)).count()
}

/// Whether a line of standard error is an entry of the engine.
pub fn is_entry(line: &str) -> bool {
    line.split_once(":error:").is_some_and(|(_, entry)| {
        entry.split_once(':').is_some_and(|(_, rest)| rest.starts_with("e_akv:"))
    })
}
