//! The parameters of RSAES-OAEP encryption, and which of them the service decrypts with (RFC 8017
//! section 7.1; the REST reference's `JsonWebKeyEncryptionAlgorithm`).

use super::{DigestAlgorithm, unsupported};
use crate::{EncryptionAlgorithm, Result};

/// The parameters of RSAES-OAEP encryption.
///
/// ```
/// use akv_core::{DigestAlgorithm::Sha1, EncryptionAlgorithm, OaepParameters};
///
/// let parameters = OaepParameters { digest: Sha1, mgf1: Sha1, label: b"" };
/// assert_eq!(parameters.algorithm()?, EncryptionAlgorithm::RsaOaep);
/// assert!(OaepParameters { label: b"for you", ..parameters }.algorithm().is_err());
/// # Ok::<(), akv_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OaepParameters<'a> {
    /// The digest of the label.
    pub digest: DigestAlgorithm,
    /// The digest of the mask generation function MGF1.
    pub mgf1: DigestAlgorithm,
    /// The label, usually empty.
    pub label: &'a [u8],
}

impl OaepParameters<'_> {
    /// The digest, if MGF1 uses the same one.
    ///
    /// # Errors
    /// MGF1 uses another digest ([`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported)).
    pub fn only_digest(&self) -> Result<DigestAlgorithm> {
        let Self { digest, mgf1, .. } = *self;
        if mgf1 != digest {
            let text =
                format!("OAEP with {digest} and another digest for MGF1 ({mgf1}) is not supported");
            return Err(unsupported(text));
        }
        Ok(digest)
    }

    /// The service's algorithm that decrypts such ciphertexts.
    ///
    /// # Errors
    /// The service has no such algorithm ([`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported)).
    pub fn algorithm(&self) -> Result<EncryptionAlgorithm> {
        if !self.label.is_empty() {
            return Err(unsupported("the vault decrypts OAEP only without a label".to_owned()));
        }
        match self.only_digest()? {
            DigestAlgorithm::Sha1 => Ok(EncryptionAlgorithm::RsaOaep),
            DigestAlgorithm::Sha256 => Ok(EncryptionAlgorithm::RsaOaep256),
            other => Err(unsupported(format!(
                "the vault decrypts OAEP with SHA-1 and SHA-256, not {other}"
            ))),
        }
    }
}
