//! Signature algorithms of RSA and elliptic-curve keys.

use strum::{IntoStaticStr, VariantArray};

use super::Curve;
use super::named;
use crate::{Error, ErrorKind, Result};

/// A signature algorithm of the service. Its name ([`FromStr`](std::str::FromStr), `Display`) is
/// that of JOSE (RFC 7518 section 3.1, RFC 8812 for `ES256K`), as in the service's `sign`; `RSNULL`
/// is the service's own.
///
/// ```
/// use akv_core::SignatureAlgorithm;
///
/// let algorithm: SignatureAlgorithm = "PS256".parse()?; // from a token's header, for example
/// assert_eq!(algorithm, SignatureAlgorithm::Ps256);
/// assert_eq!(algorithm.to_string(), algorithm.name());
/// assert_eq!(algorithm.digest_len(), Some(32));
/// assert!(SignatureAlgorithm::ALL.contains(&algorithm));
/// # Ok::<(), akv_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[strum(serialize = "RS256")]
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    #[strum(serialize = "RS384")]
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    #[strum(serialize = "RS512")]
    Rs512,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256, 32 bytes of salt.
    #[strum(serialize = "PS256")]
    Ps256,
    /// RSASSA-PSS with SHA-384, MGF1 with SHA-384, 48 bytes of salt.
    #[strum(serialize = "PS384")]
    Ps384,
    /// RSASSA-PSS with SHA-512, MGF1 with SHA-512, 64 bytes of salt.
    #[strum(serialize = "PS512")]
    Ps512,
    /// ECDSA on P-256 over 32 bytes.
    #[strum(serialize = "ES256")]
    Es256,
    /// ECDSA on secp256k1 over 32 bytes.
    #[strum(serialize = "ES256K")]
    Es256K,
    /// ECDSA on P-384 over 48 bytes.
    #[strum(serialize = "ES384")]
    Es384,
    /// ECDSA on P-521 over 64 bytes.
    #[strum(serialize = "ES512")]
    Es512,
    /// PKCS#1 v1.5 padding around the caller's own `DigestInfo` (RFC 8017 section 9.2). Vaults
    /// only.
    #[strum(serialize = "RSNULL")]
    RsNull,
}

impl SignatureAlgorithm {
    /// Every algorithm.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name in requests.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The length in bytes of the digest to sign; `None` for [`Self::RsNull`], which accepts any
    /// `DigestInfo` that fits the modulus.
    pub fn digest_len(self) -> Option<usize> {
        match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 | Self::Es256K => Some(32),
            Self::Rs384 | Self::Ps384 | Self::Es384 => Some(48),
            Self::Rs512 | Self::Ps512 | Self::Es512 => Some(64),
            Self::RsNull => None,
        }
    }

    /// The ECDSA algorithm of a curve. It depends on the curve and not on the digest.
    ///
    /// ```
    /// use akv_core::{Curve, SignatureAlgorithm};
    ///
    /// assert_eq!(SignatureAlgorithm::ecdsa(Curve::P521), SignatureAlgorithm::Es512);
    /// ```
    pub fn ecdsa(curve: Curve) -> Self {
        match curve {
            Curve::P256 => Self::Es256,
            Curve::P256K => Self::Es256K,
            Curve::P384 => Self::Es384,
            Curve::P521 => Self::Es512,
        }
    }

    /// The digest of a message; `None` for [`Self::RsNull`], for which the caller chooses the hash.
    pub(crate) fn hash(self, message: &[u8]) -> Option<aws_lc_rs::digest::Digest> {
        use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
        Some(match self.digest_len()? {
            32 => digest(&SHA256, message),
            48 => digest(&SHA384, message),
            _ => digest(&SHA512, message),
        })
    }

    /// The digest of a message to sign.
    pub(crate) fn digest_to_sign(self, message: &[u8]) -> Result<aws_lc_rs::digest::Digest> {
        self.hash(message).ok_or_else(|| {
            let text = "RSNULL has no digest of its own: sign a DigestInfo with it, not a message";
            Error::new(ErrorKind::Argument, text)
        })
    }

    /// Whether this is an RSA algorithm.
    pub(crate) fn is_rsa(self) -> bool {
        !matches!(self, Self::Es256 | Self::Es256K | Self::Es384 | Self::Es512)
    }
}

named!(SignatureAlgorithm, "signature algorithm");
