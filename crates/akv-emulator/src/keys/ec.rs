//! Elliptic-curve keys: ECDSA in the fixed-width format of JSON Web Signatures (RFC 7518, 3.4).

use aws_lc_rs::{
    digest::{self, Digest},
    signature::{
        self, EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, KeyPair,
        UnparsedPublicKey,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::Rejected;
use crate::base64url;

/// A curve of the service, named as in JSON Web Keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Curve {
    /// NIST P-256, for ES256.
    #[serde(rename = "P-256")]
    P256,
    /// SECG secp256k1, for ES256K.
    #[serde(rename = "P-256K")]
    P256K,
    /// NIST P-384, for ES384.
    #[serde(rename = "P-384")]
    P384,
    /// NIST P-521, for ES512.
    #[serde(rename = "P-521")]
    P521,
}

impl Curve {
    /// Every curve.
    pub const ALL: [Self; 4] = [Self::P256, Self::P256K, Self::P384, Self::P521];

    /// The `crv` member of a JSON Web Key.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P256K => "P-256K",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// The curve of a `crv` member; older API versions called P-256K `SECP256K1`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "SECP256K1" {
            return Some(Self::P256K);
        }
        Self::ALL.into_iter().find(|curve| curve.name() == name)
    }

    /// The only signature algorithm that the service accepts for the curve.
    #[must_use]
    pub const fn algorithm(self) -> &'static str {
        match self {
            Self::P256 => "ES256",
            Self::P256K => "ES256K",
            Self::P384 => "ES384",
            Self::P521 => "ES512",
        }
    }

    /// The size of the curve in bits.
    pub(crate) const fn bits(self) -> usize {
        match self {
            Self::P256 | Self::P256K => 256,
            Self::P384 => 384,
            Self::P521 => 521,
        }
    }

    /// Length of a coordinate in bytes.
    pub(crate) const fn coordinate_len(self) -> usize {
        match self {
            Self::P256 | Self::P256K => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::P256 | Self::P256K => &digest::SHA256,
            Self::P384 => &digest::SHA384,
            Self::P521 => &digest::SHA512,
        }
    }

    fn signing(self) -> &'static EcdsaSigningAlgorithm {
        match self {
            Self::P256 => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            Self::P256K => &signature::ECDSA_P256K1_SHA256_FIXED_SIGNING,
            Self::P384 => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
            Self::P521 => &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
        }
    }

    fn verification(self) -> &'static EcdsaVerificationAlgorithm {
        match self {
            Self::P256 => &signature::ECDSA_P256_SHA256_FIXED,
            Self::P256K => &signature::ECDSA_P256K1_SHA256_FIXED,
            Self::P384 => &signature::ECDSA_P384_SHA384_FIXED,
            Self::P521 => &signature::ECDSA_P521_SHA512_FIXED,
        }
    }
}

/// An EC key pair.
pub(crate) struct EcKey {
    curve: Curve,
    pair: EcdsaKeyPair,
}

impl EcKey {
    pub(crate) fn generate(curve: Curve) -> Result<Self, Rejected> {
        Ok(Self { curve, pair: EcdsaKeyPair::generate(curve.signing())? })
    }

    pub(crate) fn from_pkcs8(curve: Curve, der: &[u8]) -> Result<Self, Rejected> {
        Ok(Self { curve, pair: EcdsaKeyPair::from_pkcs8(curve.signing(), der)? })
    }

    /// Builds the key from the members of a JSON Web Key; coordinates are full width.
    pub(crate) fn from_parts(curve: Curve, d: &[u8], x: &[u8], y: &[u8]) -> Result<Self, Rejected> {
        let point = [&[4], x, y].concat();
        let pair = EcdsaKeyPair::from_private_key_and_public_key(curve.signing(), d, &point)?;
        Ok(Self { curve, pair })
    }

    pub(crate) const fn curve(&self) -> Curve {
        self.curve
    }

    pub(crate) fn pkcs8(&self) -> Zeroizing<Vec<u8>> {
        // Serializing a key that the library itself created or parsed fails only when out of
        // memory.
        let der = self.pair.to_pkcs8v1();
        Zeroizing::new(der.map(|der| der.as_ref().to_vec()).unwrap_or_default())
    }

    pub(crate) fn write_public(&self, jwk: &mut Map<String, Value>) {
        let point = self.pair.public_key().as_ref();
        let (x, y) = point[1..].split_at(self.curve.coordinate_len());
        jwk.insert("crv".into(), self.curve.name().into());
        jwk.insert("x".into(), base64url::encode(x).into());
        jwk.insert("y".into(), base64url::encode(y).into());
    }

    /// Signs a digest of exactly the algorithm's length.
    pub(crate) fn sign(&self, digest: &[u8]) -> Result<Vec<u8>, Rejected> {
        let digest = Digest::import_less_safe(digest, self.curve.digest())?;
        Ok(self.pair.sign_digest(&digest)?.as_ref().to_vec())
    }

    pub(crate) fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<bool, Rejected> {
        let digest = Digest::import_less_safe(digest, self.curve.digest())?;
        let key = UnparsedPublicKey::new(self.curve.verification(), self.pair.public_key());
        Ok(key.verify_digest(&digest, signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_survives_pkcs8_on_every_curve() {
        for curve in Curve::ALL {
            let key = EcKey::generate(curve).unwrap();
            let digest = vec![7; curve.digest().output_len()];
            let signature = key.sign(&digest).unwrap();
            assert_eq!(signature.len(), 2 * curve.coordinate_len());
            let same = EcKey::from_pkcs8(curve, &key.pkcs8()).unwrap();
            assert_eq!(same.verify(&digest, &signature), Ok(true));
            let other = vec![8; digest.len()];
            assert_eq!(same.verify(&other, &signature), Ok(false));
            assert_eq!(key.sign(&digest[1..]), Err(Rejected));
        }
    }
}
