//! Another system in a folder, whose programs run with that folder as their root directory.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use nix::unistd::geteuid;

use crate::process::Task;

/// The variable that names the folder. `cargo xtask hosts --debian11` sets it, and mounts this
/// system's temporary files, devices and processes there.
pub const VARIABLE: &str = "AKV_TEST_ROOT";

/// A system in a folder.
#[derive(Clone, Debug)]
pub struct Root {
    folder: PathBuf,
}

impl Root {
    /// The system that [`VARIABLE`] names.
    ///
    /// # Errors
    /// The variable is not set, or this is not root.
    pub fn selected() -> Result<Self> {
        let folder = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty());
        let folder = folder.with_context(|| {
            format!("{VARIABLE} names no system to run in: `cargo xtask hosts --debian11` does")
        })?;
        Self::at(folder)
    }

    /// The system in this folder.
    ///
    /// # Errors
    /// This is not root.
    pub fn at(folder: impl Into<PathBuf>) -> Result<Self> {
        ensure!(geteuid().is_root(), "only root may change the root directory");
        Ok(Self { folder: folder.into() })
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A program of that system, with a cleared environment.
    pub fn task(&self, program: impl AsRef<OsStr>) -> Task {
        Task::new("chroot")
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", "/")
            .env("LD_LIBRARY_PATH", "")
            .arg(&self.folder)
            .arg(program)
    }
}
