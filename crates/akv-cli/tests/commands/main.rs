//! `akv` as a user runs it, against the embedded vault. `openssl` checks the results independently.

mod allowed;
mod bench;
mod certs;
mod ciphers;
mod doctor;
mod doctor_config;
mod emulator;
mod files;
mod keys;
mod modules;
mod pkcs12;
mod privileges;
mod signatures;
mod usage;

use std::{fs, path::Path};

use akv_emulator::{Curve, Emulator, NewKey, Persona};
use akv_tests::{Output, Task};
use serde_json::Value;
use tempfile::TempDir;

/// An embedded vault, a folder, and the environment that points at the vault.
struct World {
    vault: Emulator,
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        Self::of(Persona::Vault)
    }

    fn of(persona: Persona) -> Self {
        let vault = Emulator::builder().persona(persona).start().expect("an emulator");
        let folder = TempDir::new().expect("a temporary folder");
        fs::write(folder.path().join("ca.pem"), vault.ca_pem()).expect("a written file");
        Self { vault, folder }
    }

    /// With a signing key of each kind: `rsa` and `p256`.
    fn with_keys() -> Self {
        let world = Self::new();
        world.vault.create_key(NewKey::rsa("rsa", 2048)).expect("a key");
        world.vault.create_key(NewKey::ec("p256", Curve::P256)).expect("a key");
        world
    }

    /// `akv` in the folder, with an environment that points at no vault.
    fn bare(&self, line: &str) -> Task {
        Task::new(env!("CARGO_BIN_EXE_akv")).dir(self.folder.path()).args(line.split_whitespace())
    }

    /// `akv` with the environment that points at the vault.
    fn akv(&self, line: &str) -> Task {
        self.bare(line)
            .env("AKV_ENDPOINT", self.vault.endpoint())
            .env("AKV_CA_FILE", self.folder.path().join("ca.pem"))
            .env("AZURE_CLI_ACCESS_TOKEN", self.vault.token())
    }

    /// Its output. It must succeed.
    fn ok(&self, line: &str) -> Output {
        self.akv(line).ok().expect("success")
    }

    /// Its output as JSON. It must succeed.
    fn json(&self, line: &str) -> Value {
        let output = self.akv(line).arg("--json").ok().expect("success");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Its error text. It must exit with this code and print nothing on standard output.
    fn fails(&self, line: &str, code: i32) -> String {
        failed(self.akv(line), code)
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, content).expect("a written file");
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("a readable file")
    }

    /// `openssl` in the folder, which must succeed.
    fn openssl(&self, line: &str) -> String {
        openssl(self.folder.path(), line).ok().expect("success of openssl").text()
    }
}

fn openssl(folder: &Path, line: &str) -> Task {
    Task::new("openssl").dir(folder).args(line.split_whitespace())
}

fn failed(task: Task, code: i32) -> String {
    let output = task.run().expect("an end");
    assert_eq!(output.status.code(), Some(code), "{}", output.describe());
    assert!(output.stdout.is_empty(), "{}", output.describe());
    output.stderr
}
