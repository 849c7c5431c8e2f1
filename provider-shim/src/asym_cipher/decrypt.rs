//! Decryption, in the vault.

use akv_core::blocking::Pending;
use akv_core::{EncryptionAlgorithm, Key};
use legacy_abi::job;
use ossl_abi::guard::deep;
use zeroize::Zeroizing;

use super::context::Context;
use crate::error::{Error, Result};
use crate::key::Private;
use crate::rsa_public::Padding;

impl Context {
    /// The service's algorithm.
    fn vault_algorithm(&self) -> Result<EncryptionAlgorithm> {
        match self.padding() {
            Padding::Oaep => self.oaep().vault_algorithm(),
            Padding::Pkcs1 | Padding::Tls => Ok(EncryptionAlgorithm::Rsa15),
            other => Err(Error::unsupported(format!(
                "the vault does not decrypt with RSA padding {}; use pkcs1 or oaep",
                other.name()
            ))),
        }
    }

    /// Sends one request, and waits on the caller's stack. What the vault does not support is refused
    /// before it.
    pub(super) fn decrypt(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        match deep(|| self.start_decrypt(ciphertext))? {
            Decrypting::Elsewhere(plaintext) => Ok(plaintext),
            Decrypting::InVault(pending) => job::wait(pending),
            Decrypting::Premaster(pending) => {
                let premaster = job::wait::<_, Error>(pending)?;
                Ok(Zeroizing::new(premaster.to_vec()))
            }
        }
    }

    fn start_decrypt(&self, ciphertext: &[u8]) -> Result<Decrypting> {
        let ciphertext = self.public()?.pad_ciphertext(ciphertext)?;
        let key = match self.key()?.private()? {
            Private::Vault(key) => key,
            Private::Foreign(key) => {
                return key.decrypt(self.foreign(), &ciphertext).map(Decrypting::Elsewhere);
            }
        };
        let algorithm = self.vault_algorithm()?;
        Ok(if self.padding() == Padding::Tls {
            let versions = self.versions().accepted()?;
            Decrypting::Premaster(key.start_tls_premaster(&ciphertext, &versions)?)
        } else {
            Decrypting::InVault(key.start_decrypt(algorithm, &ciphertext)?)
        })
    }
}

/// A plaintext that is being decrypted.
enum Decrypting {
    /// By another provider: it is complete.
    Elsewhere(Zeroizing<Vec<u8>>),
    InVault(Pending<Zeroizing<Vec<u8>>>),
    Premaster(Pending<Zeroizing<[u8; Key::TLS_PREMASTER_LEN]>>),
}
