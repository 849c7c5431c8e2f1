//! The key of a machine: made here, so that its bytes are known and can be searched for.

use std::{
    fs,
    path::{Path, PathBuf},
};

use akv_emulator::{Curve, Emulator, NewKey};
use anyhow::{Context as _, Result, ensure};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::{Deserialize, Serialize};

use crate::authority::Authority;

/// The vault and the key of all recipes: `vault:myVault:site`.
const VAULT: &str = "myvault.vault.azure.net";
const NAME: &str = "site";

/// Length of a part of the secret that is searched for, a multiple of three.
const NEEDLE: usize = 24;

/// The type of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// RSA, 2 048 bits.
    Rsa,
    /// P-256.
    Ec,
}

impl Kind {
    /// As people call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::Ec => "EC",
        }
    }
}

/// Bytes that only the private half has.
pub(crate) struct Secret(Vec<Vec<u8>>);

/// Makes a key and gives it to the vault.
pub(crate) fn create(kind: Kind, vault: &Emulator, authority: &Authority) -> Result<Secret> {
    let (algorithm, key) = match kind {
        Kind::Rsa => ("RSA -pkeyopt rsa_keygen_bits:2048", NewKey::rsa(NAME, 2048)),
        Kind::Ec => ("EC -pkeyopt ec_paramgen_curve:P-256", NewKey::ec(NAME, Curve::P256)),
    };
    authority.openssl().ok(&format!("genpkey -algorithm {algorithm} -out key.pem"))?;
    let pkcs8 = authority.openssl().ok("pkcs8 -topk8 -nocrypt -in key.pem -outform DER")?.stdout;
    fs::remove_file(authority.folder().join("key.pem"))?;
    let secret = match kind {
        // The last number is a private one.
        Kind::Rsa => &pkcs8[pkcs8.len() - 2 * NEEDLE..],
        Kind::Ec => {
            // After the version of its structure (RFC 5915).
            let before = [0x02, 0x01, 0x01, 0x04, 0x20];
            let start = pkcs8.windows(before.len()).position(|bytes| bytes == before);
            &pkcs8[start.context("no private number")? + before.len()..][..32]
        }
    };
    let needles = Secret::of(secret);
    vault.create_key(key.vault_host(VAULT).pkcs8(pkcs8))?;
    Ok(needles)
}

impl Secret {
    fn of(secret: &[u8]) -> Self {
        let parts = (0..3).map(|start| &secret[start..start + NEEDLE]);
        let encoded = parts.map(|part| BASE64_STANDARD.encode(part).into_bytes());
        Self(encoded.chain([secret[..NEEDLE].to_vec()]).collect())
    }

    /// Refuses files below these folders that have a part of the secret.
    pub(crate) fn check_absent(&self, folders: &[&Path]) -> Result<()> {
        let mut waiting: Vec<PathBuf> = folders.iter().map(|path| (*path).to_owned()).collect();
        let mut seen = 0;
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(&folder).with_context(|| format!("{folder:?}"))? {
                let entry = entry?;
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    waiting.push(entry.path());
                } else if kind.is_file() {
                    seen += 1;
                    // Servers remove files while this reads them.
                    let content = fs::read(entry.path()).unwrap_or_default();
                    ensure!(!self.is_in(&content), "{:?} has a private key", entry.path());
                }
            }
        }
        ensure!(seen > 2, "only {seen} files in {folders:?}: the search is broken");
        Ok(())
    }

    fn is_in(&self, content: &[u8]) -> bool {
        let has = |content: &[u8]| {
            self.0.iter().any(|part| content.windows(part.len()).any(|window| window == part))
        };
        // PEM has lines.
        let joined: Vec<u8> = content.iter().copied().filter(|byte| *byte != b'\n').collect();
        has(content) || has(&joined)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_as_bytes_and_in_pem() {
        let secret: Vec<u8> = (100..148).collect();
        let needles = Secret::of(&secret);
        for before in 0..4 {
            let mut file = vec![7; before];
            file.extend(&secret);
            assert!(needles.is_in(&file));
            let mut pem = BASE64_STANDARD.encode(&file).into_bytes();
            pem.insert(20, b'\n');
            assert!(needles.is_in(&pem), "{before}");
        }
        assert!(!needles.is_in(&secret[1..NEEDLE]));
    }
}
