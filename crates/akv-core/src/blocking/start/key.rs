//! Operations of key pairs that are started and left.

use std::future::Future;

use zeroize::Zeroizing;

use super::super::{Key, Pending};
use crate::{DigestAlgorithm, EncryptionAlgorithm, Result, SignatureAlgorithm};

/// Operations that return at once, as a [`Pending`]. Each has a method of the same name without
/// `start_`, which also waits.
impl Key {
    /// Starts [`sign`](Self::sign).
    ///
    /// # Errors
    /// The runtime cannot be started. All other errors are in the result.
    pub fn start_sign(
        &self,
        algorithm: SignatureAlgorithm,
        digest: &[u8],
    ) -> Result<Pending<Vec<u8>>> {
        let digest = digest.to_vec();
        self.start(move |key| async move { key.sign(algorithm, &digest).await })
    }

    /// Starts [`sign_pkcs1`](Self::sign_pkcs1).
    ///
    /// # Errors
    /// As [`start_sign`](Self::start_sign).
    pub fn start_sign_pkcs1(&self, value: &[u8]) -> Result<Pending<Vec<u8>>> {
        let value = value.to_vec();
        self.start(move |key| async move { key.sign_pkcs1(&value).await })
    }

    /// Starts [`sign_pkcs1_digest`](Self::sign_pkcs1_digest).
    ///
    /// # Errors
    /// As [`start_sign`](Self::start_sign).
    pub fn start_sign_pkcs1_digest(
        &self,
        algorithm: DigestAlgorithm,
        digest: &[u8],
    ) -> Result<Pending<Vec<u8>>> {
        let digest = digest.to_vec();
        self.start(move |key| async move { key.sign_pkcs1_digest(algorithm, &digest).await })
    }

    /// Starts [`sign_ecdsa`](Self::sign_ecdsa).
    ///
    /// # Errors
    /// As [`start_sign`](Self::start_sign).
    pub fn start_sign_ecdsa(&self, digest: &[u8]) -> Result<Pending<Vec<u8>>> {
        let digest = digest.to_vec();
        self.start(move |key| async move { key.sign_ecdsa(&digest).await })
    }

    /// Starts [`decrypt`](Self::decrypt).
    ///
    /// # Errors
    /// As [`start_sign`](Self::start_sign).
    pub fn start_decrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        ciphertext: &[u8],
    ) -> Result<Pending<Zeroizing<Vec<u8>>>> {
        let ciphertext = ciphertext.to_vec();
        self.start(move |key| async move { key.decrypt(algorithm, &ciphertext).await })
    }

    /// Starts [`tls_premaster`](Self::tls_premaster).
    ///
    /// # Errors
    /// As [`start_sign`](Self::start_sign).
    pub fn start_tls_premaster(
        &self,
        ciphertext: &[u8],
        versions: &[u16],
    ) -> Result<Pending<Zeroizing<[u8; crate::Key::TLS_PREMASTER_LEN]>>> {
        let (ciphertext, versions) = (ciphertext.to_vec(), versions.to_vec());
        self.start(move |key| async move { key.tls_premaster(&ciphertext, &versions).await })
    }

    /// Starts [`tls_premaster_block`](Self::tls_premaster_block).
    ///
    /// # Errors
    /// As [`start_sign`](Self::start_sign).
    pub fn start_tls_premaster_block(
        &self,
        ciphertext: &[u8],
    ) -> Result<Pending<Zeroizing<Vec<u8>>>> {
        let ciphertext = ciphertext.to_vec();
        self.start(move |key| async move { key.tls_premaster_block(&ciphertext).await })
    }

    fn start<T: Send + 'static, F: Future<Output = Result<T>> + Send + 'static>(
        &self,
        operation: impl FnOnce(crate::Key) -> F,
    ) -> Result<Pending<T>> {
        Pending::start(self.0.session(), operation(self.0.clone()))
    }
}
