//! The programs of one language.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use akv_tests::Task;
use anyhow::{Context as _, Result};

use super::scene::Scene;

/// Time limit; far more than a run takes.
const LIMIT: Duration = Duration::from_secs(600);

/// The command to run, and its report.
pub(super) struct Suite {
    pub(super) language: &'static str,
    /// The clients with their versions, once they are installed.
    pub(super) clients: Vec<(String, String)>,
    /// The file for its results, in the format of JUnit.
    pub(super) report: PathBuf,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) folder: PathBuf,
}

impl Suite {
    /// Runs it to the end, prints its output, and returns whether it succeeded.
    pub(super) fn run(&self, scene: &Scene) -> Result<bool> {
        println!("== {}", self.language);
        let task = Task::new(&self.program).args(&self.arguments).dir(&self.folder).limit(LIMIT);
        let output =
            scene.variables().iter().fold(task, |task, (name, value)| task.env(name, value));
        let output = output.run()?;
        println!("{}{}", output.text(), output.stderr);
        Ok(output.status.success())
    }
}

/// Runs `install` unless the same recipe already created `folder`. Messages name `registry`.
pub(super) fn once(
    folder: &Path,
    recipe: &str,
    registry: &str,
    install: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let marker = folder.join("akv-recipe");
    if fs::read_to_string(&marker).is_ok_and(|there| there == recipe) {
        return Ok(());
    }
    println!("installing the clients from {registry} into {}", folder.display());
    fs::create_dir_all(folder)?;
    install().with_context(|| {
        format!("Microsoft's clients cannot be installed into {folder:?}; this requires {registry}")
    })?;
    // Written last, so that an incomplete installation is repeated.
    Ok(fs::write(marker, recipe)?)
}
