//! OAEP (RFC 8017 section 7.1): which of its forms there are, in the vault and here.

use crate::digest::Digest;
use crate::error::{Error, Result};
use akv_core::EncryptionAlgorithm;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepAlgorithm,
};
use std::sync::Arc;

/// OAEP's settings.
#[derive(Clone, Default)]
pub(super) struct Oaep {
    /// SHA-1 as soon as the padding is chosen, unless it is set.
    pub(super) digest: Option<Digest>,
    pub(super) mgf1: Option<Digest>,
    /// Shared, so that it stays where it is when a context is copied.
    pub(super) label: Arc<[u8]>,
}

impl Oaep {
    /// The digest, which MGF1 uses too.
    fn only_digest(&self) -> Result<Digest> {
        let digest = self.digest.unwrap_or(Digest::Sha1);
        match self.mgf1 {
            Some(mgf1) if mgf1 != digest => Err(Error::unsupported(format!(
                "OAEP with {} and another digest ({}) for MGF1",
                digest.display(),
                mgf1.display()
            ))),
            _ => Ok(digest),
        }
    }

    /// The service's algorithm.
    pub(super) fn in_vault(&self) -> Result<EncryptionAlgorithm> {
        if !self.label.is_empty() {
            return Err(Error::unsupported("the vault decrypts OAEP without a label only"));
        }
        match self.only_digest()? {
            Digest::Sha1 => Ok(EncryptionAlgorithm::RsaOaep),
            Digest::Sha256 => Ok(EncryptionAlgorithm::RsaOaep256),
            other => Err(Error::unsupported(format!(
                "the vault decrypts OAEP with SHA1 and SHA256, not {}",
                other.display()
            ))),
        }
    }

    /// What encrypts here.
    pub(super) fn here(&self) -> Result<&'static OaepAlgorithm> {
        match self.only_digest()? {
            Digest::Sha1 => Ok(&OAEP_SHA1_MGF1SHA1),
            Digest::Sha256 => Ok(&OAEP_SHA256_MGF1SHA256),
            Digest::Sha384 => Ok(&OAEP_SHA384_MGF1SHA384),
            Digest::Sha512 => Ok(&OAEP_SHA512_MGF1SHA512),
            other => Err(Error::unsupported(format!("OAEP with {}", other.display()))),
        }
    }
}
