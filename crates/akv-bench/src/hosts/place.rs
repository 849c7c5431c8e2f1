//! Where a host runs: this machine, or a system in a folder.

use std::path::{Path, PathBuf};

use akv_tests::{Root, Site, Task, process::which};
use anyhow::{Context as _, Result};

use crate::model::system;

/// How the host's OpenSSL takes keys from the vault.
#[derive(Clone, Debug)]
enum Face {
    /// OpenSSL 3.
    Provider,
    /// OpenSSL 1.1.1: the folder with the module.
    Engine(PathBuf),
}

/// A system with hosts.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    root: Option<Root>,
    face: Face,
    /// The name of the system.
    pub(crate) system: String,
}

impl Place {
    /// This machine.
    pub(crate) fn here() -> Result<Self> {
        let release = std::fs::read_to_string("/etc/os-release")?;
        Ok(Self { root: None, face: Face::Provider, system: system(&release) })
    }

    /// A system in this folder; `engine` is the folder with the module if it has OpenSSL 1.1.1.
    pub(crate) fn at(folder: &Path, engine: Option<&Path>) -> Result<Self> {
        let release = std::fs::read_to_string(folder.join("etc/os-release"))
            .with_context(|| format!("no system in {folder:?}"))?;
        let face = engine.map_or(Face::Provider, |folder| Face::Engine(folder.to_owned()));
        Ok(Self { root: Some(Root::at(folder)?), face, system: system(&release) })
    }

    /// Whether it has this program.
    pub(crate) fn has(&self, program: &str) -> bool {
        match &self.root {
            Some(root) => ["usr/sbin", "usr/bin"]
                .iter()
                .any(|folder| root.folder().join(folder).join(program).exists()),
            None => which(program).is_some(),
        }
    }

    pub(crate) fn uses_engine(&self) -> bool {
        matches!(self.face, Face::Engine(_))
    }

    /// One of its programs, without our modules.
    pub(crate) fn task(&self, program: &str) -> Task {
        let task = match &self.root {
            Some(root) => root.task(program),
            None => Task::new(program),
        };
        task.env("OPENSSL_CONF", "/dev/null")
    }

    /// One of its programs, with keys in this vault.
    pub(crate) fn task_with_vault(&self, program: &str, site: &Site) -> Task {
        let task = self.task(program);
        match &self.face {
            Face::Provider => task.env("OPENSSL_CONF", site.path("openssl.cnf")),
            Face::Engine(folder) => {
                let settings = site.settings().into_iter().map(|(name, value)| {
                    (format!("AKV_{}", name.to_uppercase().replace('-', "_")), value)
                });
                settings.fold(task.env("OPENSSL_ENGINES", folder), |task, (name, value)| {
                    task.env(name, value)
                })
            }
        }
    }
}
