//! Encryption and key wrapping with RSA keys.

use strum::{IntoStaticStr, VariantArray};

use super::named;

/// An encryption or key-wrapping algorithm of RSA keys. Its name
/// ([`FromStr`](std::str::FromStr), `Display`) is that of JOSE (RFC 7518 section 4.1): `RSA-OAEP`.
///
/// Symmetric keys of a Managed HSM have other algorithms; see
/// [`SymmetricKey`](crate::SymmetricKey).
///
/// ```
/// use akv_core::EncryptionAlgorithm;
///
/// let algorithm: EncryptionAlgorithm = "RSA-OAEP-256".parse()?;
/// assert_eq!(algorithm, EncryptionAlgorithm::RsaOaep256);
/// assert_eq!(algorithm.to_string(), algorithm.name());
/// assert!(EncryptionAlgorithm::ALL.contains(&algorithm));
/// # Ok::<(), akv_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[non_exhaustive]
pub enum EncryptionAlgorithm {
    /// RSAES-PKCS1-v1_5 (RFC 8017 section 7.2). Use it only for existing data: an attacker who can
    /// distinguish good from bad padding can decrypt.
    #[strum(serialize = "RSA1_5")]
    Rsa15,
    /// RSAES-OAEP (RFC 8017 section 7.1) with SHA-1 and MGF1 with SHA-1.
    #[strum(serialize = "RSA-OAEP")]
    RsaOaep,
    /// RSAES-OAEP with SHA-256 and MGF1 with SHA-256.
    #[strum(serialize = "RSA-OAEP-256")]
    RsaOaep256,
}

impl EncryptionAlgorithm {
    /// Every algorithm.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name in requests.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

named!(EncryptionAlgorithm, "encryption algorithm");
