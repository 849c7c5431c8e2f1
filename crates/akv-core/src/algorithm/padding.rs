//! What of RSASSA-PSS and RSAES-OAEP the service does (RFC 8017 sections 8.1 and 7.1; the REST
//! reference's `JsonWebKeySignatureAlgorithm` and `JsonWebKeyEncryptionAlgorithm`).

use super::DigestAlgorithm;
use crate::{EncryptionAlgorithm, Error, ErrorKind, Result, SignatureAlgorithm};
use std::fmt;

/// The length of PSS's salt, as OpenSSL states it (`rsa_pss_saltlen`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PssSalt {
    /// As long as the digest.
    Digest,
    /// Whatever a signature has. A signer chooses: the service makes it as long as the digest.
    Auto,
    /// As long as the key permits.
    Max,
    /// As [`Self::Auto`], and for a signer not longer than the digest.
    AutoDigestMax,
    /// So many bytes.
    Len(usize),
}

impl fmt::Display for PssSalt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest => f.write_str("digest"),
            Self::Auto => f.write_str("auto"),
            Self::Max => f.write_str("max"),
            Self::AutoDigestMax => f.write_str("auto-digestmax"),
            Self::Len(len) => write!(f, "{len}"),
        }
    }
}

/// The parameters of a signature with RSASSA-PSS.
///
/// ```
/// use akv_core::{DigestAlgorithm::Sha256, PssParameters, PssSalt, SignatureAlgorithm};
///
/// let parameters = PssParameters { digest: Sha256, mgf1: Sha256, salt: PssSalt::Auto };
/// assert_eq!(parameters.algorithm()?, SignatureAlgorithm::Ps256);
/// let longest = PssParameters { salt: PssSalt::Max, ..parameters };
/// assert!(longest.algorithm().is_err());
/// # Ok::<(), akv_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PssParameters {
    /// What the message is hashed with.
    pub digest: DigestAlgorithm,
    /// What the mask generation function MGF1 uses.
    pub mgf1: DigestAlgorithm,
    /// The salt.
    pub salt: PssSalt,
}

impl PssParameters {
    /// The service's algorithm that makes such signatures: with the same digest for MGF1, and a
    /// salt as long as the digest.
    ///
    /// # Errors
    /// There is none ([`ErrorKind::Unsupported`]).
    pub fn algorithm(&self) -> Result<SignatureAlgorithm> {
        let Self { digest, mgf1, salt } = *self;
        let len = digest.len();
        if mgf1 != digest {
            return Err(unsupported(format!(
                "the vault's PSS uses {digest} for MGF1 when signing {digest}, not {mgf1}"
            )));
        }
        match salt {
            PssSalt::Digest | PssSalt::Auto | PssSalt::AutoDigestMax => {}
            PssSalt::Len(asked) if asked == len => {}
            PssSalt::Len(_) | PssSalt::Max => {
                let text = format!("the vault's PSS salts {digest} with {len} bytes, not {salt}");
                return Err(unsupported(text).hint("set rsa_pss_saltlen:digest"));
            }
        }
        match digest {
            DigestAlgorithm::Sha256 => Ok(SignatureAlgorithm::Ps256),
            DigestAlgorithm::Sha384 => Ok(SignatureAlgorithm::Ps384),
            DigestAlgorithm::Sha512 => Ok(SignatureAlgorithm::Ps512),
            other => Err(unsupported(format!(
                "the vault's PSS signs SHA-256, SHA-384 and SHA-512, not {other}"
            ))
            .hint("set digest:sha256")),
        }
    }
}

/// The parameters of an encryption with RSAES-OAEP.
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
    /// What the label is hashed with.
    pub digest: DigestAlgorithm,
    /// What the mask generation function MGF1 uses.
    pub mgf1: DigestAlgorithm,
    /// The label, mostly empty.
    pub label: &'a [u8],
}

impl OaepParameters<'_> {
    /// The digest, where MGF1 uses the same.
    ///
    /// # Errors
    /// MGF1 uses another one ([`ErrorKind::Unsupported`]).
    pub fn only_digest(&self) -> Result<DigestAlgorithm> {
        let Self { digest, mgf1, .. } = *self;
        if mgf1 != digest {
            let text = format!("OAEP with {digest} and another digest ({mgf1}) for MGF1");
            return Err(unsupported(text));
        }
        Ok(digest)
    }

    /// The service's algorithm that decrypts this.
    ///
    /// # Errors
    /// There is none ([`ErrorKind::Unsupported`]).
    pub fn algorithm(&self) -> Result<EncryptionAlgorithm> {
        if !self.label.is_empty() {
            return Err(unsupported("the vault decrypts OAEP without a label only".to_owned()));
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

fn unsupported(text: String) -> Error {
    Error::new(ErrorKind::Unsupported, text)
}
