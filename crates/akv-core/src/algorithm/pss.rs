//! The parameters of RSASSA-PSS signatures, and which of them the service signs with (RFC 8017 section
//! 8.1; the REST reference's `JsonWebKeySignatureAlgorithm`).

use std::fmt;

use super::{DigestAlgorithm, unsupported};
use crate::{Result, SignatureAlgorithm};

/// The length of the PSS salt, as in OpenSSL's `rsa_pss_saltlen`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PssSalt {
    /// As long as the digest.
    Digest,
    /// Verifiers accept any length. For signers, the service uses the length of the digest.
    Auto,
    /// The maximum for the key.
    Max,
    /// As [`Self::Auto`], but for signers at most the length of the digest.
    AutoDigestMax,
    /// This number of bytes.
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

/// The parameters of an RSASSA-PSS signature.
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
    /// The digest of the message.
    pub digest: DigestAlgorithm,
    /// The digest of the mask generation function MGF1.
    pub mgf1: DigestAlgorithm,
    /// The salt.
    pub salt: PssSalt,
}

impl PssParameters {
    /// The service's algorithm for such signatures: MGF1 with the same digest, and a salt as long
    /// as the digest.
    ///
    /// # Errors
    /// The service has no such algorithm ([`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported)).
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
            PssSalt::Len(requested) if requested == len => {}
            PssSalt::Len(_) | PssSalt::Max => {
                let text =
                    format!("the vault's PSS uses {len} bytes of salt with {digest}, not {salt}");
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
