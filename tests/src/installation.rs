//! The OpenSSL of the tests: the system's, or one in a separate folder.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};

use crate::process::Task;

/// The variable that names the folder of an OpenSSL with `bin/openssl`, `include` and `lib` (or
/// `lib64`), such as `cargo xtask hosts --openssl` builds. If unset, the system's is used.
pub const VARIABLE: &str = "AKV_TEST_OPENSSL";

/// An installed OpenSSL: program, library and headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// `None` for the system's.
    prefix: Option<PathBuf>,
}

impl Installation {
    /// The installation that [`VARIABLE`] names.
    pub fn selected() -> Self {
        let named = env::var_os(VARIABLE).filter(|prefix| !prefix.is_empty());
        named.map_or_else(Self::system, Self::at)
    }

    /// The installation that programs find by default.
    pub const fn system() -> Self {
        Self { prefix: None }
    }

    /// The installation in this folder.
    pub fn at(prefix: impl Into<PathBuf>) -> Self {
        Self { prefix: Some(prefix.into()) }
    }

    /// Its folder, unless it is the system's.
    pub fn prefix(&self) -> Option<&Path> {
        self.prefix.as_deref()
    }

    /// The folder with its headers, unless it is the system's.
    pub fn include(&self) -> Option<PathBuf> {
        self.prefix().map(|prefix| prefix.join("include"))
    }

    /// A run of its `openssl` program.
    pub fn openssl(&self) -> Task {
        let Some(prefix) = self.prefix() else {
            return Task::new("openssl");
        };
        Task::new(prefix.join("bin/openssl")).env("LD_LIBRARY_PATH", self.library_path())
    }

    /// Arguments for a C compiler, before the source: its headers and its library, which the
    /// program then also finds at run time, whatever `LD_LIBRARY_PATH` says.
    pub fn compiler_arguments(&self) -> Vec<OsString> {
        let (Some(include), Some(library)) = (self.include(), self.library()) else {
            return Vec::new();
        };
        [
            OsStr::new("-isystem"),
            include.as_os_str(),
            OsStr::new("-L"),
            library.as_os_str(),
            // DT_RPATH and not DT_RUNPATH, which would come after the variable.
            OsStr::new("-Wl,--disable-new-dtags"),
            OsStr::new("-Xlinker"),
            OsStr::new("-rpath"),
            OsStr::new("-Xlinker"),
            library.as_os_str(),
        ]
        .map(OsStr::to_owned)
        .to_vec()
    }

    /// The version of the program, such as `3.5.5`.
    ///
    /// # Errors
    /// There is no such program, or it runs with the library of another version.
    pub fn version(&self) -> Result<String> {
        // `OpenSSL 3.0.19 27 Jan 2026 (Library: OpenSSL 3.0.19 27 Jan 2026)`; 1.1.1 names the library
        // only when it is of another version.
        let said = self.openssl().arg("version").ok()?.text();
        let mut words = said.split_whitespace();
        let version = words.nth(1).with_context(|| format!("no version in {said:?}"))?;
        let library = said.split_once("(Library: OpenSSL ").map(|(_, library)| library);
        let library = library.and_then(|library| library.split_whitespace().next());
        let same = match library {
            Some(library) => library == version,
            None => version.starts_with("1.1.1"),
        };
        ensure!(same, "the program runs with another library: {}", said.trim());
        Ok(version.to_owned())
    }

    fn library(&self) -> Option<PathBuf> {
        let prefix = self.prefix()?;
        let folders = [prefix.join("lib64"), prefix.join("lib")];
        let found = folders.iter().find(|folder| folder.join("libcrypto.so").exists()).cloned();
        Some(found.unwrap_or_else(|| prefix.join("lib")))
    }

    /// Its library, before those of the caller.
    fn library_path(&self) -> OsString {
        let inherited = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
        let inherited: Vec<PathBuf> =
            env::split_paths(&inherited).filter(|folder| !folder.as_os_str().is_empty()).collect();
        let folders = self.library().into_iter().chain(inherited);
        // Only a colon in a folder's name fails, and with it the loader would fail too.
        env::join_paths(folders).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_openssl_needs_no_arguments() {
        let system = Installation::system();
        assert!(system.compiler_arguments().is_empty());
        assert_eq!(system.include(), None);
    }

    #[test]
    fn a_folder_without_openssl_is_named() {
        let error = Installation::at("/nonexistent").version().expect_err("no program there");
        assert!(format!("{error:#}").contains("/nonexistent/bin/openssl"), "{error:#}");
    }

    #[test]
    fn its_library_comes_first() {
        let path = Installation::at("/nonexistent").library_path();
        assert_eq!(env::split_paths(&path).next(), Some(PathBuf::from("/nonexistent/lib")));
    }
}
