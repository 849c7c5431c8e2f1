//! The sources of the workspace.

use std::{fs, path::PathBuf};

use akv_tests::modules;
use anyhow::{Context as _, Result};

/// The Rust files under these folders of the workspace, with their text.
pub(crate) fn sources(folders: &[&str]) -> Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    let mut waiting: Vec<PathBuf> =
        folders.iter().map(|folder| modules::workspace().join(folder)).collect();
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path)?;
                files.push((path, text));
            }
        }
    }
    assert!(!files.is_empty());
    Ok(files)
}
