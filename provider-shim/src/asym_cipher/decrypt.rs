//! Decryption, in the vault.

use akv_core::EncryptionAlgorithm;
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

    /// Sends one request. What the vault does not support is refused before it.
    pub(super) fn decrypt(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let ciphertext = self.public()?.pad_ciphertext(ciphertext)?;
        let key = match self.key()?.private()? {
            Private::Vault(key) => key,
            Private::Foreign(key) => return key.decrypt(self.foreign(), &ciphertext),
        };
        let algorithm = self.vault_algorithm()?;
        if self.padding() != Padding::Tls {
            return Ok(key.decrypt(algorithm, &ciphertext)?);
        }
        let premaster = key.tls_premaster(&ciphertext, &self.versions().accepted()?)?;
        Ok(Zeroizing::new(premaster.to_vec()))
    }
}
