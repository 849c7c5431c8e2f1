//! The environment of every case: the vault, the keys of this run, programs and a folder.

use std::{
    fs, future::Future, os::unix::fs::PermissionsExt as _, path::PathBuf,
    sync::atomic::Ordering::Relaxed, time::Duration,
};

use akv_core::{Client, Vault};
use akv_tests::{OpenSsl, Task, engine, modules, process::interrupted, site::configuration};
use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{keys::Keys, target::Target};

/// A target with everything around it.
pub(crate) struct Stage {
    pub(crate) target: Target,
    pub(crate) client: Client,
    pub(crate) vault: Vault,
    pub(crate) keys: Keys,
    folder: TempDir,
    runtime: Runtime,
}

impl Stage {
    /// # Errors
    /// The settings or the vault's name are invalid. No request has been sent.
    pub(crate) fn new(target: Target) -> Result<Self> {
        let client = Client::new(target.settings()?);
        let vault = client.vault(&client.reference(&target.reference(""))?)?;
        let folder = tempfile::Builder::new().prefix("akv-e2e-").tempdir()?;
        // nginx reads it after it has given up root.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .context("no runtime")?;
        Ok(Self { target, client, vault, keys: Keys::new(), folder, runtime })
    }

    /// Runs the async API, until Ctrl-C.
    pub(crate) fn block_on<T, E: Into<anyhow::Error>>(
        &self,
        future: impl Future<Output = Result<T, E>>,
    ) -> Result<T> {
        self.attempt(future)?.map_err(Into::into)
    }

    /// The same for a future without a `Result`.
    pub(crate) fn attempt<T>(&self, future: impl Future<Output = T>) -> Result<T> {
        let interruption = async {
            while !interrupted().load(Relaxed) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        self.runtime.block_on(async {
            tokio::select! {
                result = future => Ok(result),
                () = interruption => bail!("interrupted"),
            }
        })
    }

    /// Deletes the keys of this run, also after Ctrl-C. Returns messages for the user.
    pub(crate) fn remove_keys(&self, purge: bool) -> Vec<String> {
        self.runtime.block_on(self.keys.remove(&self.vault, purge))
    }

    /// A file in this run's folder.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// The same as text, for command lines.
    pub(crate) fn text(&self, file: &str) -> String {
        self.path(file).display().to_string()
    }

    /// Writes a file into this run's folder.
    pub(crate) fn write(&self, file: &str, content: impl AsRef<[u8]>) -> Result<String> {
        fs::write(self.path(file), content).with_context(|| format!("cannot write {file}"))?;
        Ok(self.text(file))
    }

    /// `openssl` with its own implementations only.
    pub(crate) fn plain(&self) -> Result<OpenSsl> {
        Ok(OpenSsl::new(self.write("plain.cnf", configuration(None))?, self.folder.path()))
    }

    /// `openssl` with the provider.
    pub(crate) fn provider(&self) -> Result<OpenSsl> {
        let text = configuration(Some((&modules::provider()?, &[])));
        Ok(self.with_variables(OpenSsl::new(self.write("provider.cnf", text)?, self.folder.path())))
    }

    /// `openssl` with the engine.
    pub(crate) fn engine(&self) -> Result<OpenSsl> {
        let text = engine::configuration(&format!(
            "engine_id = e_akv\ndynamic_path = {}\ndefault_algorithms = ALL\n",
            modules::engine()?.display()
        ));
        Ok(self.with_variables(OpenSsl::new(self.write("engine.cnf", text)?, self.folder.path())))
    }

    fn with_variables(&self, openssl: OpenSsl) -> OpenSsl {
        let variables = self.target.variables();
        variables.iter().fold(openssl, |openssl, (name, value)| openssl.env(name, value))
    }

    /// A program with the settings for the vault.
    pub(crate) fn task(&self, program: impl AsRef<std::ffi::OsStr>) -> Task {
        let task = Task::new(program).dir(self.folder.path());
        let variables = self.target.variables();
        variables.iter().fold(task, |task, (name, value)| task.env(name, value))
    }
}
