//! The secret files of an Azure Arc server's agent: clients that can read them get tokens.
//!
//! Protocol: <https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication>.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
};

use uuid::Uuid;

use crate::{files::write_private, sync::lock};

/// Maximum number of open challenges; the files of older ones are removed.
const OPEN: usize = 32;

/// The challenges of the agent.
#[derive(Default)]
pub(crate) struct Agent(Mutex<Challenges>);

#[derive(Default)]
struct Challenges {
    /// The folder of secret files; without it there is no agent.
    folder: Option<PathBuf>,
    /// A file to name instead of a new one.
    named: Option<PathBuf>,
    open: Vec<(PathBuf, String)>,
}

impl Agent {
    pub(crate) fn set_folder(&self, folder: Option<PathBuf>) {
        lock(&self.0).folder = folder;
    }

    pub(crate) fn set_named(&self, file: Option<PathBuf>) {
        lock(&self.0).named = file;
    }

    /// Creates a secret file for a challenge, readable only by its owner.
    pub(crate) fn challenge(&self) -> io::Result<Option<PathBuf>> {
        let mut challenges = lock(&self.0);
        if let Some(file) = challenges.named.clone() {
            let secret = fs::read_to_string(&file).unwrap_or_default();
            if !secret.is_empty() {
                challenges.open.push((file.clone(), secret));
            }
            return Ok(Some(file));
        }
        let Some(folder) = &challenges.folder else { return Ok(None) };
        let file = folder.join(format!("{}.key", Uuid::new_v4()));
        let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        write_private(&file, secret.as_bytes())?;
        challenges.open.push((file.clone(), secret));
        if challenges.open.len() > OPEN {
            let (old, _) = challenges.open.remove(0);
            challenges.remove(&old);
        }
        Ok(Some(file))
    }

    /// Whether `secret` is from the file of an open challenge. Each is valid once.
    pub(crate) fn accepts_secret(&self, secret: &str) -> bool {
        let mut challenges = lock(&self.0);
        let Some(at) = challenges.open.iter().position(|(_, known)| known == secret) else {
            return false;
        };
        let (file, _) = challenges.open.remove(at);
        challenges.remove(&file);
        true
    }
}

impl Challenges {
    /// Removes a file that the agent created, but not one that a test named.
    fn remove(&self, file: &Path) {
        if file.parent() == self.folder.as_deref() && self.named.as_deref() != Some(file) {
            let _ = fs::remove_file(file);
        }
    }
}
