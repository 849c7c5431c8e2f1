//! Tools of cargo that make packages, installed into cargo's target folder.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use xshell::{Shell, cmd};

/// A crate with a program of the same name.
pub(super) struct Tool {
    name: &'static str,
    version: &'static str,
}

pub(super) const CARGO_DEB: Tool = Tool { name: "cargo-deb", version: "3.8.0" };
pub(super) const CARGO_GENERATE_RPM: Tool = Tool { name: "cargo-generate-rpm", version: "0.21.1" };

impl Tool {
    /// Its program. The first time it is built, which takes minutes.
    pub(super) fn program(&self, target: &Path) -> Result<PathBuf> {
        let Self { name, version } = self;
        let root = target.join("dist-tools").join(format!("{name}-{version}"));
        let program = root.join("bin").join(name);
        if !program.exists() {
            println!("Building {name} {version} (a few minutes)");
            let (shell, cargo) = (Shell::new()?, akv_tests::modules::cargo());
            cmd!(
                shell,
                "{cargo} install --quiet --locked --root {root} --version {version} {name}"
            )
            .quiet()
            .run()
            .with_context(|| format!("{name} cannot be installed from the registry"))?;
        }
        Ok(program)
    }
}
