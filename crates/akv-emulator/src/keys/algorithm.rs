//! Names of signature and encryption algorithms (RFC 7518 and the service's own).

/// RSA signature algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RsaSignature {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    /// PKCS#1 type 1 padding around any value of the caller, normally a `DigestInfo`.
    RsNull,
}

impl RsaSignature {
    pub(crate) const ALL: [(&'static str, Self); 7] = [
        ("RS256", Self::Rs256),
        ("RS384", Self::Rs384),
        ("RS512", Self::Rs512),
        ("PS256", Self::Ps256),
        ("PS384", Self::Ps384),
        ("PS512", Self::Ps512),
        ("RSNULL", Self::RsNull),
    ];

    /// Length of the digest to sign; `None` for any length.
    pub(crate) const fn digest_len(self) -> Option<usize> {
        match self {
            Self::Rs256 | Self::Ps256 => Some(32),
            Self::Rs384 | Self::Ps384 => Some(48),
            Self::Rs512 | Self::Ps512 => Some(64),
            Self::RsNull => None,
        }
    }
}

/// A signature algorithm, by family of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureAlgorithm {
    Rsa(RsaSignature),
    Ecdsa(crate::keys::Curve),
    /// HMAC with a hash of this many bytes.
    Hmac(usize),
}

impl SignatureAlgorithm {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        if let Some((_, rsa)) = RsaSignature::ALL.into_iter().find(|(known, _)| *known == name) {
            return Some(Self::Rsa(rsa));
        }
        // ECDSA256 and ES256K share a curve: the older name is from preview API versions.
        let name = if name == "ECDSA256" { "ES256K" } else { name };
        if let Some(curve) =
            crate::keys::Curve::ALL.into_iter().find(|curve| curve.algorithm() == name)
        {
            return Some(Self::Ecdsa(curve));
        }
        match name {
            "HS256" => Some(Self::Hmac(32)),
            "HS384" => Some(Self::Hmac(48)),
            "HS512" => Some(Self::Hmac(64)),
            _ => None,
        }
    }

    /// Length of the digest to sign; `None` for any length.
    pub(crate) const fn digest_len(self) -> Option<usize> {
        match self {
            Self::Rsa(rsa) => rsa.digest_len(),
            Self::Ecdsa(curve) => Some(match curve {
                crate::keys::Curve::P256 | crate::keys::Curve::P256K => 32,
                crate::keys::Curve::P384 => 48,
                crate::keys::Curve::P521 => 64,
            }),
            Self::Hmac(len) => Some(len),
        }
    }
}

/// Algorithms of encrypt, decrypt, wrapKey and unwrapKey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EncryptionAlgorithm {
    Rsa15,
    RsaOaep,
    RsaOaep256,
    /// AES key wrap with a key of this many bits.
    AesKw(usize),
    AesGcm(usize),
    /// Whole blocks only.
    AesCbc(usize),
    AesCbcPad(usize),
}

impl EncryptionAlgorithm {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "RSA1_5" => Self::Rsa15,
            "RSA-OAEP" => Self::RsaOaep,
            "RSA-OAEP-256" => Self::RsaOaep256,
            "A128KW" => Self::AesKw(128),
            "A192KW" => Self::AesKw(192),
            "A256KW" => Self::AesKw(256),
            "A128GCM" => Self::AesGcm(128),
            "A192GCM" => Self::AesGcm(192),
            "A256GCM" => Self::AesGcm(256),
            "A128CBC" => Self::AesCbc(128),
            "A192CBC" => Self::AesCbc(192),
            "A256CBC" => Self::AesCbc(256),
            "A128CBCPAD" => Self::AesCbcPad(128),
            "A192CBCPAD" => Self::AesCbcPad(192),
            "A256CBCPAD" => Self::AesCbcPad(256),
            _ => return None,
        })
    }
}
