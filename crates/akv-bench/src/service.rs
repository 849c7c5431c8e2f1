//! The embedded vault in a separate process.

use std::{
    fmt, fs,
    io::{self, BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use akv_emulator::{Curve, Emulator, Fault, NewKey, Operation, Persona};
use anyhow::{Context as _, Result};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// A vault uses HTTP/2, a Managed HSM HTTP/1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Vault,
    ManagedHsm,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vault => "vault",
            Self::ManagedHsm => "Managed HSM",
        })
    }
}

/// The keys to sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Rsa2048,
    EcP256,
}

pub(crate) const KEYS: [Key; 2] = [Key::Rsa2048, Key::EcP256];

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa2048 => "RSA-2048",
            Self::EcP256 => "P-256",
        })
    }
}

impl Key {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa",
            Self::EcP256 => "ec",
        }
    }
}

/// The data that a client needs.
#[derive(Serialize, Deserialize)]
struct Announcement {
    endpoint: String,
    ca: String,
    token: String,
    versions: Vec<(String, String)>,
}

/// A running vault; it ends when its standard input ends.
pub(crate) struct Service {
    child: Child,
    kind: Kind,
    announcement: Announcement,
}

impl Service {
    pub(crate) fn start(kind: Kind, latency: u64) -> Result<Self> {
        let name = kind.to_possible_value().context("a value")?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", name.get_name(), &latency.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("a pipe")?).read_line(&mut line)?;
        let announcement = serde_json::from_str(&line).context("the vault did not start")?;
        Ok(Self { child, kind, announcement })
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.announcement.endpoint
    }

    pub(crate) fn ca(&self) -> &str {
        &self.announcement.ca
    }

    pub(crate) fn token(&self) -> &str {
        &self.announcement.token
    }

    pub(crate) fn reference(&self, key: Key) -> String {
        match self.kind {
            Kind::Vault => format!("vault:bench:{}", key.name()),
            Kind::ManagedHsm => format!("managedHsm:bench:{}", key.name()),
        }
    }

    /// The settings for the modules.
    pub(crate) fn settings(&self, folder: &Path) -> Result<Vec<(&'static str, String)>> {
        let write = |name: &str, content: &str| -> Result<String> {
            let path = folder.join(name);
            fs::write(&path, content)?;
            Ok(path.display().to_string())
        };
        Ok(vec![
            ("endpoint", self.endpoint().to_owned()),
            ("ca-file", write("service-ca.pem", self.ca())?),
            ("access-token-file", write("service-token", self.token())?),
        ])
    }

    /// The path of a key's sign operation.
    pub(crate) fn sign_path(&self, key: Key) -> Result<String> {
        let versions = &self.announcement.versions;
        let found = versions.iter().find(|(name, _)| name == key.name()).context("a key")?;
        Ok(format!("/keys/{}/{}/sign?api-version=2025-07-01", found.0, found.1))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The vault's process: serves until its standard input ends.
pub(crate) fn serve(kind: Kind, latency: Duration) -> Result<()> {
    let hsm = matches!(kind, Kind::ManagedHsm);
    let persona = if hsm { Persona::ManagedHsm } else { Persona::Vault };
    let vault = Emulator::builder().persona(persona).start()?;
    let mut versions = Vec::new();
    for key in KEYS {
        let new = match key {
            Key::Rsa2048 => NewKey::rsa(key.name(), 2048),
            Key::EcP256 => NewKey::ec(key.name(), Curve::P256),
        };
        let id = vault.create_key(new.hsm(hsm))?;
        versions.push((key.name().to_owned(), id.version));
    }
    if !latency.is_zero() {
        vault.fault(Fault::latency(latency).on(Operation::Sign).forever());
    }
    let announcement = Announcement {
        endpoint: vault.endpoint().to_owned(),
        ca: vault.ca_pem().to_owned(),
        token: vault.token(),
        versions,
    };
    println!("{}", serde_json::to_string(&announcement)?);
    io::stdin().read_to_end(&mut Vec::new())?;
    vault.shutdown();
    Ok(())
}
