//! The forms of OAEP (RFC 8017 section 7.1) that are supported in the vault and locally.

use std::sync::Arc;

use akv_core::{DigestAlgorithm, EncryptionAlgorithm, OaepParameters};
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepAlgorithm,
};

use crate::digest::Digest;
use crate::error::{Error, Result};

/// The OAEP parameters.
#[derive(Clone, Default)]
pub(super) struct Oaep {
    /// SHA-1 once the padding is selected, unless another one is set.
    pub(super) digest: Option<Digest>,
    pub(super) mgf1: Option<Digest>,
    /// Shared, so that its address does not change when a context is copied.
    pub(super) label: Arc<[u8]>,
}

impl Oaep {
    fn parameters(&self) -> OaepParameters<'_> {
        let digest = self.digest.unwrap_or(Digest::Sha1);
        let mgf1 = self.mgf1.unwrap_or(digest).algorithm();
        OaepParameters { digest: digest.algorithm(), mgf1, label: &self.label }
    }

    /// The service's algorithm.
    pub(super) fn vault_algorithm(&self) -> Result<EncryptionAlgorithm> {
        Ok(self.parameters().algorithm()?)
    }

    /// The algorithm for local encryption.
    pub(super) fn local_algorithm(&self) -> Result<&'static OaepAlgorithm> {
        match self.parameters().only_digest()? {
            DigestAlgorithm::Sha1 => Ok(&OAEP_SHA1_MGF1SHA1),
            DigestAlgorithm::Sha256 => Ok(&OAEP_SHA256_MGF1SHA256),
            DigestAlgorithm::Sha384 => Ok(&OAEP_SHA384_MGF1SHA384),
            DigestAlgorithm::Sha512 => Ok(&OAEP_SHA512_MGF1SHA512),
            other => Err(Error::unsupported(format!("OAEP with {other}"))),
        }
    }
}
