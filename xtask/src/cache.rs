//! Folders in which the commands keep results that take long to build.

use std::{
    env, fs,
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use akv_tests::modules;
use anyhow::{Context as _, Result};
use xshell::Shell;

use crate::build::target_folder;

/// The folder that `variable` names; by default `name` in cargo's target folder.
pub(crate) fn folder(variable: &str, name: &str) -> Result<PathBuf> {
    let named = env::var_os(variable).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let folder = match named {
        Some(folder) => folder,
        None => {
            let shell = Shell::new()?;
            shell.change_dir(modules::workspace());
            target_folder(&shell)?.join(name)
        }
    };
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {folder:?}"))?;
    Ok(folder.canonicalize()?)
}

/// Waits until no other process holds this lock, and prints a message. The lock is also released
/// when the process ends.
pub(crate) fn lock(file: &Path, use_of: &str) -> Result<File> {
    let lock = File::create(file).with_context(|| format!("cannot create {file:?}"))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            println!("waiting for another process that {use_of}");
            lock.lock()?;
        }
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    Ok(lock)
}

/// The last lines of a log, for messages.
pub(crate) fn end_of(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
