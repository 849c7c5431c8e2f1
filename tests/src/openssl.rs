//! The `openssl` program.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, bail};

use crate::{
    installation::Installation,
    process::{LIMIT, Output, Task},
};

/// `openssl` with one configuration file and nothing else of the caller's environment.
#[derive(Clone, Debug)]
pub struct OpenSsl {
    config: PathBuf,
    folder: PathBuf,
    variables: Vec<(String, String)>,
    limit: Duration,
}

impl OpenSsl {
    /// Runs in `folder` with the configuration file `config`.
    pub fn new(config: impl Into<PathBuf>, folder: impl Into<PathBuf>) -> Self {
        Self { config: config.into(), folder: folder.into(), variables: Vec::new(), limit: LIMIT }
    }

    /// The same with one more variable.
    #[must_use]
    pub fn env(&self, name: &str, value: impl Into<String>) -> Self {
        let mut other = self.clone();
        other.variables.push((name.into(), value.into()));
        other
    }

    /// The configuration file.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// The start of a command.
    pub fn task<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Task {
        let mut task = Installation::selected().openssl().env("OPENSSL_CONF", &self.config);
        for (name, value) in &self.variables {
            task = task.env(name, value);
        }
        task.dir(&self.folder).limit(self.limit).args(args)
    }

    /// Runs a command line, split at blanks, which must succeed.
    ///
    /// # Errors
    /// It does not succeed.
    pub fn ok(&self, line: &str) -> Result<Output> {
        self.task(line.split_whitespace()).ok()
    }

    /// Runs a command line, split at blanks, which must fail by itself: a crash is not a failure
    /// but an error.
    ///
    /// # Errors
    /// It succeeds, hangs or crashes.
    pub fn fails(&self, line: &str) -> Result<Output> {
        let output = self.task(line.split_whitespace()).run()?;
        match output.status.code() {
            Some(0) => bail!("`{}` should have failed\n{}", output.command, output.describe()),
            Some(_) => Ok(output),
            None => bail!("crashed: {}", output.describe()),
        }
    }
}
