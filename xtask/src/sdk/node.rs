//! Node.js with npm: the machine's own, or one from PyPI if the machine has none or one that is too
//! old for the clients, as in Debian 12.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use akv_tests::{modules, process::which};
use anyhow::{Context as _, Result};
use xshell::{Shell, cmd};

use super::python;

/// The minimum version of the clients.
const OLDEST: u32 = 20;

/// The package, its version and hashes, in pip's format.
const REQUIREMENTS: &str = include_str!("../../../tests/sdk/javascript/node.txt");

/// A Node.js, whether it is installed or not.
pub(super) struct Node {
    pub(super) program: PathBuf,
    /// Its folder, if it is not in `PATH`.
    folder: Option<PathBuf>,
}

impl Node {
    /// The Node.js to use.
    pub(super) fn find(cache: &Path) -> Self {
        let own = which("node").filter(|program| which("npm").is_some() && serves(program));
        match own {
            Some(program) => Self { program, folder: None },
            None => {
                let folder = cache.join("node/bin");
                Self { program: folder.join("node"), folder: Some(folder) }
            }
        }
    }

    /// Installs it if necessary, and returns its version.
    pub(super) fn install(&self, cache: &Path) -> Result<String> {
        if self.folder.is_some() {
            let wanted = modules::workspace().join("tests/sdk/javascript/node.txt");
            python::environment(&cache.join("node"), REQUIREMENTS, &wanted)?;
        }
        version(&self.program).with_context(|| format!("{} does not run", self.program.display()))
    }

    /// The value of `PATH` with which npm finds it.
    pub(super) fn path(&self) -> Result<OsString> {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = self.folder.iter().cloned().chain(env::split_paths(&path));
        Ok(env::join_paths(folders)?)
    }
}

fn serves(program: &Path) -> bool {
    let version = version(program).unwrap_or_default();
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    major.is_some_and(|major| major >= OLDEST)
}

fn version(program: &Path) -> Option<String> {
    let shell = Shell::new().ok()?;
    let output = cmd!(shell, "{program} --version").quiet().ignore_stderr().read().ok()?;
    Some(output.trim_start_matches('v').to_owned())
}
