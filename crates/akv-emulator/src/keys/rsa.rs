//! RSA keys: PKCS#1 v1.5 and PSS signatures, OAEP and PKCS#1 v1.5 encryption (RFC 8017).

use std::sync::OnceLock;

use aws_lc_rs::{
    digest::{self, Digest},
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{
        KeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm,
        OaepPrivateDecryptingKey, OaepPublicEncryptingKey, Pkcs1PrivateDecryptingKey,
        Pkcs1PublicEncryptingKey, PrivateDecryptingKey, PublicKey,
    },
    signature::{self, KeyPair as _, RsaEncoding, RsaParameters, UnparsedPublicKey},
};
use rsa::{Pkcs1v15Sign, PrivateKey, pkcs8::DecodePrivateKey};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::Rejected;
use crate::{
    base64url,
    keys::algorithm::{EncryptionAlgorithm, RsaSignature},
};

/// An RSA key pair in every form that the operations need, parsed once.
pub(crate) struct RsaKey {
    pkcs8: Zeroizing<Vec<u8>>,
    signing: KeyPair,
    oaep: OaepPrivateDecryptingKey,
    oaep_public: OaepPublicEncryptingKey,
    pkcs1: Pkcs1PrivateDecryptingKey,
    pkcs1_public: Pkcs1PublicEncryptingKey,
    /// Needed only for RSNULL: AWS-LC's interface does not sign a bare `DigestInfo`.
    raw: OnceLock<Option<PrivateKey>>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl RsaKey {
    pub(crate) fn generate(bits: usize) -> Result<Self, Rejected> {
        let size = match bits {
            2048 => KeySize::Rsa2048,
            3072 => KeySize::Rsa3072,
            4096 => KeySize::Rsa4096,
            _ => return Err(Rejected),
        };
        let key = PrivateDecryptingKey::generate(size)?;
        let der: Pkcs8V1Der<'_> = key.as_der()?;
        Self::from_pkcs8(der.as_ref())
    }

    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, Rejected> {
        let signing = KeyPair::from_pkcs8(der)?;
        let decrypting = PrivateDecryptingKey::from_pkcs8(der)?;
        let public: &PublicKey = signing.public_key();
        let modulus = public.modulus().big_endian_without_leading_zero().to_vec();
        let exponent = public.exponent().big_endian_without_leading_zero().to_vec();
        Ok(Self {
            pkcs8: Zeroizing::new(der.to_vec()),
            oaep_public: OaepPublicEncryptingKey::new(decrypting.public_key())?,
            pkcs1_public: Pkcs1PublicEncryptingKey::new(decrypting.public_key())?,
            oaep: OaepPrivateDecryptingKey::new(decrypting.clone())?,
            pkcs1: Pkcs1PrivateDecryptingKey::new(decrypting)?,
            raw: OnceLock::new(),
            signing,
            modulus,
            exponent,
        })
    }

    pub(crate) fn bits(&self) -> usize {
        self.modulus.len() * 8
    }

    pub(crate) fn pkcs8(&self) -> Zeroizing<Vec<u8>> {
        self.pkcs8.clone()
    }

    pub(crate) fn write_public(&self, jwk: &mut Map<String, Value>, leading_zeros: bool) {
        let zero: &[u8] = if leading_zeros { &[0] } else { &[] };
        jwk.insert("n".into(), base64url::encode([zero, &self.modulus].concat()).into());
        jwk.insert("e".into(), base64url::encode([zero, &self.exponent].concat()).into());
    }

    /// Signs a digest of the algorithm's length, or any short `DigestInfo` for RSNULL.
    pub(crate) fn sign(&self, algorithm: RsaSignature, digest: &[u8]) -> Result<Vec<u8>, Rejected> {
        let Some((hash, encoding, _)) = primitives(algorithm) else {
            let raw = self.raw().ok_or(Rejected)?;
            return raw.sign(Pkcs1v15Sign::new_unprefixed(), digest).map_err(|_| Rejected);
        };
        let digest = Digest::import_less_safe(digest, hash)?;
        let mut signature = vec![0; self.signing.public_modulus_len()];
        self.signing.sign_digest(encoding, &digest, &mut signature)?;
        Ok(signature)
    }

    pub(crate) fn verify(
        &self,
        algorithm: RsaSignature,
        digest: &[u8],
        signature: &[u8],
    ) -> Result<bool, Rejected> {
        let Some((hash, _, parameters)) = primitives(algorithm) else {
            let public = self.raw().ok_or(Rejected)?.to_public_key();
            return Ok(public.verify(Pkcs1v15Sign::new_unprefixed(), digest, signature).is_ok());
        };
        let digest = Digest::import_less_safe(digest, hash)?;
        let key = UnparsedPublicKey::new(parameters, self.signing.public_key());
        Ok(key.verify_digest(&digest, signature).is_ok())
    }

    pub(crate) fn encrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Rejected> {
        let mut buffer = vec![0; self.modulus.len()];
        let written = match oaep(algorithm)? {
            Some(hash) => self.oaep_public.encrypt(hash, plaintext, &mut buffer, None)?.len(),
            None => self.pkcs1_public.encrypt(plaintext, &mut buffer)?.len(),
        };
        buffer.truncate(written);
        Ok(buffer)
    }

    pub(crate) fn decrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Rejected> {
        let mut buffer = Zeroizing::new(vec![0; self.modulus.len()]);
        let written = match oaep(algorithm)? {
            Some(hash) => self.oaep.decrypt(hash, ciphertext, &mut buffer, None)?.len(),
            None => self.pkcs1.decrypt(ciphertext, &mut buffer)?.len(),
        };
        buffer.truncate(written);
        Ok(buffer)
    }

    fn raw(&self) -> Option<&PrivateKey> {
        self.raw.get_or_init(|| PrivateKey::from_pkcs8_der(&self.pkcs8).ok()).as_ref()
    }
}

type Primitives = (&'static digest::Algorithm, &'static dyn RsaEncoding, &'static RsaParameters);

/// Hash, signing and verifying algorithm; `None` for RSNULL.
fn primitives(algorithm: RsaSignature) -> Option<Primitives> {
    Some(match algorithm {
        RsaSignature::Rs256 => {
            (&digest::SHA256, &signature::RSA_PKCS1_SHA256, &signature::RSA_PKCS1_2048_8192_SHA256)
        }
        RsaSignature::Rs384 => {
            (&digest::SHA384, &signature::RSA_PKCS1_SHA384, &signature::RSA_PKCS1_2048_8192_SHA384)
        }
        RsaSignature::Rs512 => {
            (&digest::SHA512, &signature::RSA_PKCS1_SHA512, &signature::RSA_PKCS1_2048_8192_SHA512)
        }
        RsaSignature::Ps256 => {
            (&digest::SHA256, &signature::RSA_PSS_SHA256, &signature::RSA_PSS_2048_8192_SHA256)
        }
        RsaSignature::Ps384 => {
            (&digest::SHA384, &signature::RSA_PSS_SHA384, &signature::RSA_PSS_2048_8192_SHA384)
        }
        RsaSignature::Ps512 => {
            (&digest::SHA512, &signature::RSA_PSS_SHA512, &signature::RSA_PSS_2048_8192_SHA512)
        }
        RsaSignature::RsNull => return None,
    })
}

/// The OAEP variant, `None` for PKCS#1 v1.5.
fn oaep(algorithm: EncryptionAlgorithm) -> Result<Option<&'static OaepAlgorithm>, Rejected> {
    match algorithm {
        EncryptionAlgorithm::RsaOaep => Ok(Some(&OAEP_SHA1_MGF1SHA1)),
        EncryptionAlgorithm::RsaOaep256 => Ok(Some(&OAEP_SHA256_MGF1SHA256)),
        EncryptionAlgorithm::Rsa15 => Ok(None),
        _ => Err(Rejected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_round_trips() {
        let key = RsaKey::generate(2048).unwrap();
        for (name, algorithm) in RsaSignature::ALL {
            let digest = vec![5; algorithm.digest_len().unwrap_or(51)];
            let signature = key.sign(algorithm, &digest).unwrap();
            assert_eq!(signature.len(), 256, "{name}");
            assert_eq!(key.verify(algorithm, &digest, &signature), Ok(true), "{name}");
            assert_eq!(key.verify(algorithm, &digest, &signature[1..]), Ok(false), "{name}");
        }
        for algorithm in [
            EncryptionAlgorithm::Rsa15,
            EncryptionAlgorithm::RsaOaep,
            EncryptionAlgorithm::RsaOaep256,
        ] {
            let ciphertext = key.encrypt(algorithm, b"plaintext").unwrap();
            assert_eq!(key.decrypt(algorithm, &ciphertext).unwrap().as_slice(), b"plaintext");
        }
        assert_eq!(key.sign(RsaSignature::RsNull, &[0; 246]), Err(Rejected));
    }
}
