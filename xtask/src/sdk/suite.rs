//! The programs of one language.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use akv_tests::Task;
use anyhow::{Context as _, Result};

use super::scene::Scene;

/// Far more than a run takes.
const LIMIT: Duration = Duration::from_secs(600);

/// What to run, and where it reports.
pub(super) struct Suite {
    pub(super) language: &'static str,
    /// The clients with their versions, once they are installed.
    pub(super) clients: Vec<(String, String)>,
    /// Where it writes what passed, in the format of JUnit.
    pub(super) report: PathBuf,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) folder: PathBuf,
}

impl Suite {
    /// Runs it to its end, prints what it says, and tells whether it ended with success.
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

/// Does `install` unless `folder` is already what the same recipe made. `registry` is what it takes
/// besides.
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
        format!("Microsoft's clients cannot be installed into {folder:?}; it takes {registry}")
    })?;
    // The last thing, so that an installation that broke off is begun again.
    Ok(fs::write(marker, recipe)?)
}
