//! Folders of the build machine, which must not appear in release artifacts: rustc puts the file
//! name of everything that can panic into the module, and so into the host's log.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};
use xshell::{Shell, cmd};

/// The separator of flags in `CARGO_ENCODED_RUSTFLAGS`.
const SEPARATOR: &str = "\u{1f}";

/// Folders, the more general first, with their replacements.
pub(super) struct BuildPaths(Vec<(PathBuf, &'static str)>);

impl BuildPaths {
    pub(super) fn of_this_machine(shell: &Shell, target: &Path) -> Result<Self> {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let toolchain = cmd!(shell, "{rustc} --print sysroot").quiet().read()?;
        let home = env::home_dir().unwrap_or_default();
        let cargo = env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
        let workspace = akv_tests::modules::workspace().to_owned();
        let mut paths = vec![
            (home, "home"),
            (cargo, "cargo"),
            (toolchain.into(), "rust"),
            (workspace, "akv"),
            (target.to_owned(), "target"),
        ];
        // A home folder `/` would match every path.
        paths.retain(|(path, _)| path.is_absolute() && path.components().count() > 1);
        Ok(Self(paths))
    }

    /// The flags of the caller, and one for each folder. rustc uses the last one that matches.
    pub(super) fn rustflags(&self) -> OsString {
        let mut flags = env::var_os("CARGO_ENCODED_RUSTFLAGS").unwrap_or_else(|| {
            let flags = env::var("RUSTFLAGS").unwrap_or_default();
            flags.split_whitespace().collect::<Vec<_>>().join(SEPARATOR).into()
        });
        for (path, name) in &self.0 {
            if !flags.is_empty() {
                flags.push(SEPARATOR);
            }
            flags.push("--remap-path-prefix=");
            flags.push(path);
            flags.push("=");
            flags.push(name);
        }
        flags
    }

    /// # Errors
    /// The file contains the path of one of the folders, or cannot be read.
    pub(super) fn check(&self, file: &Path) -> Result<()> {
        let content = fs::read(file)?;
        let found = self.0.iter().find_map(|(path, _)| found(&content, path));
        ensure!(
            found.is_none(),
            "{file:?} names a path of this machine: {}",
            found.unwrap_or_default()
        );
        Ok(())
    }
}

/// The beginning of the first path below `folder` in the content.
fn found(content: &[u8], folder: &Path) -> Option<String> {
    let folder = folder.join("");
    let wanted = folder.as_os_str().as_encoded_bytes();
    let at = content.windows(wanted.len()).position(|window| window == wanted)?;
    let text = content[at..].iter().take(200).take_while(|byte| byte.is_ascii_graphic());
    Some(text.map(|byte| char::from(*byte)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths() -> BuildPaths {
        BuildPaths(vec![("/home/me".into(), "home"), ("/home/me/.cargo".into(), "cargo")])
    }

    #[test]
    fn every_folder_has_a_flag_and_the_narrower_one_wins() {
        let flags = paths().rustflags().into_string().unwrap();
        let flags: Vec<_> = flags.split(SEPARATOR).collect();
        let ours =
            ["--remap-path-prefix=/home/me=home", "--remap-path-prefix=/home/me/.cargo=cargo"];
        assert!(flags.ends_with(&ours), "{flags:?}");
    }

    #[test]
    fn a_path_of_this_machine_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("module.so");
        fs::write(&file, b"\0cargo/registry/src/tokio/mod.rs\0/home/meadow/x\0").unwrap();
        paths().check(&file).unwrap();
        fs::write(&file, b"\0a\0/home/me/.cargo/registry/src/tokio/mod.rs\0b").unwrap();
        let error = paths().check(&file).unwrap_err().to_string();
        assert!(error.contains("/home/me/.cargo/registry/src/tokio/mod.rs"), "{error}");
    }
}
