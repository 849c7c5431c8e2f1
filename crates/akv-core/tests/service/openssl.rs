//! The `openssl` program as an independent implementation.

use std::{fs, path::Path, process::Command};

use tempfile::TempDir;

/// Runs `openssl` in its own folder.
pub(super) struct Openssl(TempDir);

impl Openssl {
    pub(super) fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    pub(super) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.0.path().join(name), content).expect("a written file");
    }

    pub(super) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.path().join(name)).expect("a readable file")
    }

    /// The standard output of the command. It must succeed.
    pub(super) fn run(&self, arguments: &[&str]) -> Vec<u8> {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(self.0.path())
            .env_remove("OPENSSL_CONF")
            .output()
            .expect("the openssl program is installed");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments:?}: {error}");
        output.stdout
    }
}
