//! Runs programs with a time limit.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::process::Command;

/// Time limit for a program.
const LIMIT: Duration = Duration::from_secs(20);

/// The output of a program.
pub(super) struct ProgramOutput {
    pub(super) success: bool,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// Runs a program. `config` replaces the configuration of OpenSSL.
pub(super) async fn run<S: AsRef<OsStr>>(
    program: &Path,
    arguments: &[S],
    config: Option<&Path>,
) -> Result<ProgramOutput, String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    if let Some(config) = config {
        command.env("OPENSSL_CONF", config);
    }
    let output = tokio::time::timeout(LIMIT, command.output()).await;
    let output = output.map_err(|_| format!("it did not finish within {LIMIT:?}"))?;
    let output = output.map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(ProgramOutput {
        success: output.status.success(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    })
}

/// Every program of this name in `PATH`, once.
pub(super) fn in_path(name: &str) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found: Vec<PathBuf> = Vec::new();
    let mut seen = Vec::new();
    for file in std::env::split_paths(&path).map(|folder| folder.join(name)) {
        let Ok(real) = file.canonicalize() else { continue };
        if real.is_file() && !seen.contains(&real) {
            seen.push(real);
            found.push(file);
        }
    }
    found
}
