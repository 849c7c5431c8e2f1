//! The licences of all crates, as `cargo-about` finds them in their sources.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use anyhow::{Context as _, Result, ensure};
use auditable_serde::{DependencyKind, VersionInfo};
use serde::Deserialize;
use xshell::{Shell, cmd};

use crate::tools::CARGO_ABOUT;

/// What is not a crate.
const STANDARD_LIBRARY: &str = "\
Rust's standard library is linked as well: Copyright (c) The Rust Project Contributors, under the Apache
License 2.0 or the MIT License, at your option. Its notices are at https://github.com/rust-lang/rust.\n";

/// A crate: name and version.
type Crate = (String, String);

/// The licences of this workspace and of everything that it depends on.
pub(super) struct Licences {
    /// The licence of each crate, as its author writes it.
    expressions: BTreeMap<Crate, String>,
    texts: Vec<Text>,
}

/// A text, and the crates that are under it.
struct Text {
    name: String,
    crates: Vec<Crate>,
    text: String,
}

#[derive(Deserialize)]
struct Found {
    licenses: Vec<License>,
    crates: Vec<About>,
}

#[derive(Deserialize)]
struct License {
    name: String,
    text: String,
    used_by: Vec<UsedBy>,
}

#[derive(Deserialize)]
struct UsedBy {
    #[serde(rename = "crate")]
    package: Package,
}

#[derive(Deserialize)]
struct About {
    package: Package,
    license: String,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
}

impl From<Package> for Crate {
    fn from(package: Package) -> Self {
        (package.name, package.version)
    }
}

impl Licences {
    /// Reads the sources of all crates, which takes a minute.
    pub(super) fn collect(target: &Path) -> Result<Self> {
        let program = CARGO_ABOUT.program(target)?;
        let (shell, file) = (Shell::new()?, tempfile::NamedTempFile::new()?);
        shell.change_dir(akv_tests::modules::workspace());
        let options = ["--workspace", "--locked", "--offline", "--fail", "--format", "json"];
        let (output, config) = (file.path(), "packaging/about.toml");
        cmd!(shell, "{program} generate {options...} --config {config} --output-file {output}")
            .quiet()
            .run()
            .context("the licences of the dependencies cannot be collected")?;
        Self::read(&shell.read_file(output)?)
    }

    fn read(json: &str) -> Result<Self> {
        let found: Found = serde_json::from_str(json).context("what cargo-about has written")?;
        let expressions =
            found.crates.into_iter().map(|about| (about.package.into(), about.license));
        let mut texts: Vec<Text> = Vec::new();
        for License { name, text, used_by } in found.licenses {
            let mut crates: Vec<Crate> = used_by.into_iter().map(|by| by.package.into()).collect();
            crates.sort();
            texts.push(Text { name, crates, text });
        }
        // Its own order is not always the same.
        texts.sort_by(|a, b| (&a.name, &a.crates, &a.text).cmp(&(&b.name, &b.crates, &b.text)));
        Ok(Self { expressions: expressions.collect(), texts })
    }

    /// The licence of a crate, as an expression of SPDX.
    pub(super) fn of(&self, name: &str, version: &str) -> Result<&str> {
        let found = self.expressions.get(&(name.to_owned(), version.to_owned()));
        found.map(String::as_str).with_context(|| format!("no licence of {name} {version}"))
    }

    /// The texts for what is linked into an artifact.
    ///
    /// # Errors
    /// There is no text for a part.
    pub(super) fn text(&self, package: &str, parts: &VersionInfo) -> Result<String> {
        let linked = parts.packages.iter().filter(|part| part.kind == DependencyKind::Runtime);
        let linked: Vec<Crate> =
            linked.map(|part| (part.name.clone(), part.version.to_string())).collect();
        for part in &linked {
            let (name, version) = part;
            let is_there = self.texts.iter().any(|text| text.crates.contains(part));
            ensure!(is_there, "no text of a licence of {name} {version}");
        }
        let mut out = format!("Licences of what {package} contains.\n\n{STANDARD_LIBRARY}");
        for Text { name, crates, text } in &self.texts {
            let mut crates = crates.iter().filter(|part| linked.contains(part)).peekable();
            if crates.peek().is_none() {
                continue;
            }
            write!(out, "\n{}\n{name}\n", "-".repeat(72))?;
            for (name, version) in crates {
                writeln!(out, "    {name} {version}")?;
            }
            write!(out, "\n{}\n", text.replace("\r\n", "\n").trim_matches('\n'))?;
        }
        Ok(out)
    }

    #[cfg(test)]
    pub(super) fn example() -> Self {
        Self::read(tests::EXAMPLE).expect("as cargo-about writes it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::third_party::audit;

    pub(super) const EXAMPLE: &str = r#"{
        "crates": [
            {"package": {"name": "serde", "version": "1.2.3"}, "license": "MIT OR Apache-2.0"},
            {"package": {"name": "tokio", "version": "1.2.3"}, "license": "MIT"},
            {"package": {"name": "zz-root", "version": "0.1.0"}, "license": "MIT"}
        ],
        "licenses": [
            {"name": "MIT License", "text": "\r\nDo as you like.\r\n", "used_by": [
                {"crate": {"name": "zz-root", "version": "0.1.0"}},
                {"crate": {"name": "tokio", "version": "1.2.3"}}]},
            {"name": "Apache License 2.0", "text": "Patents.\n", "used_by": [
                {"crate": {"name": "serde", "version": "1.2.3"}}]}
        ]
    }"#;

    #[test]
    fn an_artifact_gets_the_licences_of_its_own_parts() {
        let licences = Licences::example();
        let text = licences.text("akv", &audit::list(&["tokio"])).unwrap();
        assert!(
            text.ends_with("MIT License\n    tokio 1.2.3\n    zz-root 0.1.0\n\nDo as you like.\n")
        );
        assert!(!text.contains("Patents"), "{text}");
        let text = licences.text("akv", &audit::list(&["serde", "tokio"])).unwrap();
        assert!(text.contains("serde 1.2.3\n\nPatents.\n"), "{text}");
    }

    #[test]
    fn a_part_without_a_text_is_an_error() {
        let error = Licences::example().text("akv", &audit::list(&["unheard-of"])).unwrap_err();
        assert!(error.to_string().contains("unheard-of"), "{error}");
    }
}
