//! The list of dependencies for `libakv.so`, which rustc does not link, as `cargo-auditable` puts it
//! into the other artifacts.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use xshell::{Shell, cmd};

use super::zig;

/// An object file with the list.
pub(super) struct Audit(TempDir);

impl Audit {
    /// The symbol that keeps the list in the library.
    pub(super) const SYMBOL: &str = "AUDITABLE_VERSION_INFO";

    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join("akv_ffi_audit_data.o")
    }
}

/// Has `cargo-auditable` compile an empty library in the name of ours, and keeps the object file.
pub(super) fn object(auditable: &Path) -> Result<Audit> {
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("empty.rs");
    fs::write(&source, "")?;
    let shell = Shell::new()?;
    let (target, out) = (zig::host(&shell)?, folder.path());
    let options = ["--crate-name", "akv_ffi", "--crate-type", "cdylib", "--target", &target];
    cmd!(shell, "{auditable} rustc {options...} --out-dir {out} {source}")
        // As cargo sets them when it compiles a package.
        .env("CARGO", akv_tests::modules::cargo())
        .env("CARGO_MANIFEST_DIR", akv_tests::modules::workspace().join("ffi"))
        .env("CARGO_PRIMARY_PACKAGE", "1")
        .env(
            "CARGO_AUDITABLE_ORIG_ARGS",
            r#"{"offline":false,"locked":true,"frozen":false,"config":[]}"#,
        )
        .quiet()
        .run()
        .context("cargo-auditable does not list the dependencies of libakv.so")?;
    let audit = Audit(folder);
    ensure!(audit.path().exists(), "cargo-auditable has written no {:?}", audit.path());
    Ok(audit)
}
