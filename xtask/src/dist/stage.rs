//! The files of all packages, in one folder.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use xshell::{Shell, cmd};

use super::manual;
use crate::build::pkg_config_file;

/// The folder, and what the packages are called.
pub(super) struct Stage {
    /// The copy of `packaging`, with `stage` in it.
    pub(super) folder: PathBuf,
    pub(super) version: String,
}

/// Shells, with the place of their completions.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/akv"),
    ("zsh", "usr/share/zsh/vendor-completions/_akv"),
    ("fish", "usr/share/fish/vendor_completions.d/akv.fish"),
];

/// Built files, with their places.
const BUILT: [(&str, &str); 7] = [
    ("akv", "usr/bin/akv"),
    ("akv-emulator", "usr/bin/akv-emulator"),
    ("akv_provider.so", "modules/akv_provider.so"),
    ("e_akv.so", "modules/e_akv.so"),
    ("libakv.so.1", "lib/libakv.so.1"),
    ("libakv.a", "lib/libakv.a"),
    ("akv.h", "usr/include/akv.h"),
];

/// Files of the sources, with their places.
const SOURCES: [(&str, &str); 10] = [
    ("README.md", "doc/README.md"),
    ("CHANGELOG.md", "doc/CHANGELOG.md"),
    ("LICENSE", "doc/LICENSE"),
    ("packaging/files/libakv.so", "lib/libakv.so"),
    ("packaging/files/openssl.cnf", "etc/akv/openssl.cnf"),
    ("packaging/files/system-openssl.cnf", "examples/provider/system-openssl.cnf"),
    ("packaging/files/nginx-systemd.conf", "examples/provider/nginx-systemd.conf"),
    ("packaging/files/service-systemd.conf", "examples/provider/service-systemd.conf"),
    ("packaging/files/engine.cnf", "examples/engine/openssl.cnf"),
    ("ffi/examples/sign_file.c", "examples/c/sign_file.c"),
];

/// Kinds of packages, with the prefix and the folder of libraries that their `akv.pc` names.
const LIBRARIES: [(&str, &str, &str); 3] = [
    ("multiarch", "/usr", "/usr/lib/@multiarch@"),
    ("lib64", "/usr", "/usr/lib64"),
    ("local", "/usr/local", "/usr/local/lib"),
];

impl Stage {
    /// Fills a new folder.
    pub(super) fn make(built: &Path, work: &Path) -> Result<Self> {
        let source = akv_tests::modules::workspace();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let stage = Self { folder: work.to_owned(), version };
        for (from, to) in BUILT {
            stage.put(&built.join(from), to)?;
        }
        for (from, to) in SOURCES {
            stage.put(&source.join(from), to)?;
        }
        stage.generate()?;
        let template = fs::read_to_string(source.join("ffi/akv.pc.in"))?;
        for (name, prefix, libraries) in LIBRARIES {
            let text = pkg_config_file(&template, prefix, libraries, "${prefix}/include");
            let to = stage.path("pkgconfig").join(name).join("akv.pc");
            fs::create_dir_all(to.parent().context("a folder")?)?;
            fs::write(to, stage.filled_in(&text))?;
        }
        manual::make(&source.join("docs"), &stage.path("usr/share/man"))?;
        fs::create_dir_all(stage.folder.join("src"))?;
        fs::copy(source.join("packaging/src/lib.rs"), stage.folder.join("src/lib.rs"))?;
        let manifest = fs::read_to_string(source.join("packaging/Cargo.toml"))?;
        fs::write(stage.folder.join("Cargo.toml"), stage.filled_in(&manifest))?;
        Ok(stage)
    }

    /// A template with its variables replaced.
    pub(super) fn filled_in(&self, template: &str) -> String {
        template.replace("@version@", &self.version).replace("@multiarch@", MULTIARCH)
    }

    /// A file in the tree.
    pub(super) fn path(&self, place: &str) -> PathBuf {
        self.folder.join("stage").join(place)
    }

    fn put(&self, from: &Path, place: &str) -> Result<()> {
        let to = self.path(place);
        fs::create_dir_all(to.parent().context("a folder")?)?;
        fs::copy(from, &to).with_context(|| format!("cannot copy {from:?}"))?;
        let mode = if place.starts_with("usr/bin/") { 0o755 } else { 0o644 };
        Ok(fs::set_permissions(&to, fs::Permissions::from_mode(mode))?)
    }

    /// What the program itself writes: man pages and completions.
    fn generate(&self) -> Result<()> {
        let (shell, akv) = (Shell::new()?, self.path("usr/bin/akv"));
        let pages = self.path("usr/share/man/man1");
        fs::create_dir_all(&pages)?;
        cmd!(shell, "{akv} man {pages}").quiet().ignore_stdout().run()?;
        for (name, place) in COMPLETIONS {
            let script = cmd!(shell, "{akv} completions {name}").quiet().read()?;
            let place = self.path(place);
            fs::create_dir_all(place.parent().context("a folder")?)?;
            fs::write(place, script + "\n")?;
        }
        Ok(())
    }
}

/// Debian's folder for libraries.
pub(super) const MULTIARCH: &str = "x86_64-linux-gnu";
