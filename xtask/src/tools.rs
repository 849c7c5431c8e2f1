//! Programs from crates.io, installed into cargo's target folder when they are first used.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use xshell::{Shell, cmd};

/// A crate with a program of the same name.
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
    /// The features, without the default ones; `None` for those.
    features: Option<&'static str>,
}

pub(crate) const CARGO_ABOUT: Tool =
    Tool { name: "cargo-about", version: "0.9.3", features: Some("cli") };
pub(crate) const CARGO_AUDITABLE: Tool =
    Tool { name: "cargo-auditable", version: "0.7.7", features: None };
pub(crate) const CARGO_DEB: Tool = Tool { name: "cargo-deb", version: "3.8.0", features: None };
pub(crate) const CARGO_GENERATE_RPM: Tool =
    Tool { name: "cargo-generate-rpm", version: "0.21.1", features: None };
/// As a program, because as a library it would add two minutes to every first build of xtask. The
/// default features are a web server.
pub(crate) const MDBOOK: Tool = Tool { name: "mdbook", version: "0.5.4", features: Some("search") };

impl Tool {
    /// Its program. The first time it is built, which takes minutes.
    pub(crate) fn program(&self, target: &Path) -> Result<PathBuf> {
        let Self { name, version, features } = self;
        let root = target.join("tools").join(format!("{name}-{version}"));
        let program = root.join("bin").join(name);
        if !program.exists() {
            println!("Building {name} {version} (a few minutes)");
            let (shell, cargo) = (Shell::new()?, akv_tests::modules::cargo());
            let options = ["--quiet", "--locked", "--version", version];
            let features = match features {
                Some(features) => vec!["--no-default-features", "--features", features],
                None => Vec::new(),
            };
            cmd!(shell, "{cargo} install {options...} {features...} --root {root} {name}")
                .quiet()
                .run()
                .with_context(|| format!("{name} cannot be installed from the registry"))?;
        }
        Ok(program)
    }
}
