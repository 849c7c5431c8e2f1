//! The embedded vault instead of a real one.

use std::{fs, os::unix::fs::PermissionsExt as _};

use akv_core::VaultKind;
use akv_emulator::{Emulator, Persona};
use anyhow::Result;
use tempfile::TempDir;

use crate::target::Target;

/// A running embedded vault or Managed HSM, with the files that programs need.
pub(crate) struct Emulated {
    _emulator: Emulator,
    _folder: TempDir,
    pub(crate) target: Target,
}

impl Emulated {
    pub(crate) fn start(kind: VaultKind) -> Result<Self> {
        let (persona, name) = match kind {
            VaultKind::Vault => (Persona::Vault, "e2e-vault"),
            VaultKind::ManagedHsm => (Persona::ManagedHsm, "e2e-hsm"),
        };
        let emulator = Emulator::builder().persona(persona).start()?;
        let folder = tempfile::Builder::new().prefix("akv-e2e-vault-").tempdir()?;
        // Servers that give up root read the token again.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711))?;
        let write = |file: &str, text: &str| -> Result<String> {
            let path = folder.path().join(file);
            fs::write(&path, text)?;
            Ok(path.display().to_string())
        };
        let settings = vec![
            ("endpoint", emulator.endpoint().to_owned()),
            ("ca-file", write("ca.pem", emulator.ca_pem())?),
            ("access-token-file", write("token", &emulator.token())?),
        ];
        let target = Target { kind, name: name.to_owned(), environment: false, settings };
        Ok(Self { _emulator: emulator, _folder: folder, target })
    }
}
