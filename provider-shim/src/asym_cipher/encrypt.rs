//! Encryption, which needs only the public half and is done locally.

use akv_core::PublicKey;
use aws_lc_rs::rsa::{OaepPublicEncryptingKey, Pkcs1PublicEncryptingKey, PublicEncryptingKey};

use super::context::Context;
use crate::error::{Error, Result};
use crate::rsa_public::{self, Padding};

impl Context {
    pub(super) fn encrypt(&self, plaintext: &[u8]) -> Result<Vec<u8>> {
        // Refuse what the vault could not decrypt.
        if self.padding() == Padding::Oaep && self.key()?.vault_key().is_some() {
            self.oaep().vault_algorithm()?;
        }
        if let Some(delegate) = self.key()?.public_delegate() {
            return delegate.encrypt(self.foreign(), plaintext);
        }
        let public = self.public()?;
        match self.padding() {
            Padding::Pkcs1 | Padding::Oaep => {}
            Padding::None => {
                return rsa_public::apply(public, plaintext).map_err(|_| {
                    Error::argument(format!(
                        "without padding the data must have {} bytes and be a number below the \
                         modulus",
                        public.size()
                    ))
                });
            }
            other => {
                return Err(Error::argument(format!(
                    "RSA padding {} cannot be used for encryption; use pkcs1 or oaep",
                    other.name()
                )));
            }
        }
        let too_long = |_| {
            Error::argument(format!(
                "cannot encrypt {} bytes with RSA-{} and {} padding",
                plaintext.len(),
                public.bits(),
                self.padding().name()
            ))
        };
        let spki = PublicKey::Rsa(public.clone()).to_spki_der();
        let key = PublicEncryptingKey::from_der(&spki)
            .map_err(|_| Error::unsupported("encryption with an RSA key of this size"))?;
        let mut ciphertext = vec![0; public.size()];
        let written = if self.padding() == Padding::Oaep {
            let algorithm = self.oaep().local_algorithm()?;
            let label = &self.oaep().label;
            let label = (!label.is_empty()).then_some(&label[..]);
            OaepPublicEncryptingKey::new(key)
                .and_then(|key| {
                    Ok(key.encrypt(algorithm, plaintext, &mut ciphertext, label)?.len())
                })
                .map_err(too_long)?
        } else {
            Pkcs1PublicEncryptingKey::new(key)
                .and_then(|key| Ok(key.encrypt(plaintext, &mut ciphertext)?.len()))
                .map_err(too_long)?
        };
        ciphertext.truncate(written);
        Ok(ciphertext)
    }
}
