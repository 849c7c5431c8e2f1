//! Key material and its cryptography.

pub(crate) mod algorithm;
mod ec;
mod jwk;
mod new_key;
mod oct;
mod rsa;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

pub use self::{
    ec::Curve,
    new_key::{KeyId, NewKey},
};
pub(crate) use self::{ec::EcKey, jwk::import, oct::OctKey, rsa::RsaKey};
use crate::error::ApiError;

/// Type and size of a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum KeySpec {
    /// Modulus length in bits: 2048, 3072 or 4096.
    Rsa(usize),
    Ec(Curve),
    /// AES or HMAC key length in bits: 128, 192 or 256.
    Oct(usize),
}

impl KeySpec {
    /// Generates key material; RSA takes from tens of milliseconds to seconds.
    pub(crate) fn generate(self) -> Result<KeyMaterial, ApiError> {
        let failed = |_| ApiError::server_error(hyper::StatusCode::INTERNAL_SERVER_ERROR);
        Ok(match self {
            Self::Rsa(bits) => KeyMaterial::Rsa(Arc::new(RsaKey::generate(bits).map_err(failed)?)),
            Self::Ec(curve) => KeyMaterial::Ec(Arc::new(EcKey::generate(curve).map_err(failed)?)),
            Self::Oct(bits) => KeyMaterial::Oct(Arc::new(OctKey::generate(bits).map_err(failed)?)),
        })
    }
}

/// A parsed private key, ready to use and cheap to clone.
#[derive(Clone)]
pub(crate) enum KeyMaterial {
    Rsa(Arc<RsaKey>),
    Ec(Arc<EcKey>),
    Oct(Arc<OctKey>),
}

impl KeyMaterial {
    pub(crate) fn spec(&self) -> KeySpec {
        match self {
            Self::Rsa(key) => KeySpec::Rsa(key.bits()),
            Self::Ec(key) => KeySpec::Ec(key.curve()),
            Self::Oct(key) => KeySpec::Oct(key.bits()),
        }
    }

    /// Adds the public members of the JSON Web Key: `n`, `e` or `crv`, `x`, `y`.
    pub(crate) fn write_public(&self, jwk: &mut Map<String, Value>, leading_zeros: bool) {
        match self {
            Self::Rsa(key) => key.write_public(jwk, leading_zeros),
            Self::Ec(key) => key.write_public(jwk),
            Self::Oct(_) => {}
        }
    }

    /// The key properties of a certificate's policy.
    pub(crate) fn certificate_key(&self) -> Value {
        let mut properties = json!({ "exportable": true, "reuse_key": false });
        let (key_type, bits) = match self.spec() {
            KeySpec::Rsa(bits) => ("RSA", bits),
            KeySpec::Ec(curve) => {
                properties["crv"] = curve.name().into();
                ("EC", curve.bits())
            }
            KeySpec::Oct(bits) => ("oct", bits),
        };
        properties["kty"] = key_type.into();
        properties["key_size"] = bits.into();
        properties
    }

    /// The private key: PKCS#8 DER, or the bytes of a symmetric key.
    pub(crate) fn secret(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Rsa(key) => key.pkcs8(),
            Self::Ec(key) => key.pkcs8(),
            Self::Oct(key) => key.secret(),
        }
    }

    /// Parses the result of [`KeyMaterial::secret`].
    pub(crate) fn from_secret(spec: KeySpec, secret: &[u8]) -> Option<Self> {
        Some(match spec {
            KeySpec::Rsa(_) => Self::Rsa(Arc::new(RsaKey::from_pkcs8(secret).ok()?)),
            KeySpec::Ec(curve) => Self::Ec(Arc::new(EcKey::from_pkcs8(curve, secret).ok()?)),
            KeySpec::Oct(_) => Self::Oct(Arc::new(OctKey::new(secret).ok()?)),
        })
    }
}

/// The cryptographic library refused the key material.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key was refused")]
pub(crate) struct Rejected;

impl From<aws_lc_rs::error::Unspecified> for Rejected {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self
    }
}

impl From<aws_lc_rs::error::KeyRejected> for Rejected {
    fn from(_: aws_lc_rs::error::KeyRejected) -> Self {
        Self
    }
}
