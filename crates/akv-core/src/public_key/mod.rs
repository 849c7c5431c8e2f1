//! The public half of a vault key. It is used locally.

mod ec;
mod encrypt;
mod fit;
mod rsa;
mod verify;

pub use self::{ec::EcPublicKey, rsa::RsaPublicKey};

use der::{Any, Decode, Encode, asn1::BitString, asn1::ObjectIdentifier};
use spki::{AlgorithmIdentifierOwned, Document, EncodePublicKey, SubjectPublicKeyInfoOwned};

use crate::{Curve, Error, ErrorKind, Result};

/// `rsaEncryption` (RFC 8017 appendix A).
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// `id-RSASSA-PSS` (RFC 8017 appendix A.2.3).
const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
/// `id-ecPublicKey` (RFC 5480 section 2.1.1).
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// A public key.
///
/// ```
/// use akv_core::PublicKey;
///
/// # let der = akv_core::PublicKey::Rsa(akv_core::RsaPublicKey::new(&[0xc5; 256], &[1, 0, 1])?)
/// #     .to_spki_der();
/// let key = PublicKey::from_spki_der(&der)?; // from a certificate, for example
/// let kind = match &key {
///     PublicKey::Rsa(_) => "RSA",
///     PublicKey::Ec(key) => key.curve().name(),
///     other => return Err(format!("{} bits of an unknown type", other.bits()).into()),
/// };
/// assert_eq!((kind, key.bits()), ("RSA", 2048));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicKey {
    /// RSA (RFC 8017).
    Rsa(RsaPublicKey),
    /// An elliptic-curve key (SEC 1).
    Ec(EcPublicKey),
}

impl PublicKey {
    /// Parses a DER `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7).
    ///
    /// ```
    /// use akv_core::{ErrorKind, PublicKey};
    ///
    /// # let key = PublicKey::Rsa(akv_core::RsaPublicKey::new(&[0xc5; 256], &[1, 0, 1])?);
    /// # let der = key.to_spki_der();
    /// assert_eq!(PublicKey::from_spki_der(&der)?, key);
    /// let error = PublicKey::from_spki_der(&der[1..]).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Argument);
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// The DER is malformed, or the key is neither RSA nor on a curve that the service supports.
    pub fn from_spki_der(der: &[u8]) -> Result<Self> {
        let spki = SubjectPublicKeyInfoOwned::from_der(der).map_err(malformed)?;
        let key = spki.subject_public_key.as_bytes().ok_or_else(|| malformed("unused bits"))?;
        match spki.algorithm.oid {
            RSA_ENCRYPTION | RSASSA_PSS => RsaPublicKey::from_pkcs1_der(key).map(Self::Rsa),
            EC_PUBLIC_KEY => {
                let curve = spki
                    .algorithm
                    .parameters
                    .as_ref()
                    .and_then(|parameters| parameters.decode_as::<ObjectIdentifier>().ok())
                    .and_then(Curve::from_oid)
                    .ok_or_else(|| malformed("unknown elliptic curve"))?;
                EcPublicKey::from_point(curve, key).map(Self::Ec)
            }
            oid => Err(malformed(format!("algorithm {oid} is neither RSA nor EC"))),
        }
    }

    /// Writes a DER `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7).
    ///
    /// ```no_run
    /// use akv_core::blocking::Client;
    /// use sha2::{Digest, Sha256};
    ///
    /// # fn example(client: Client) -> akv_core::Result<()> {
    /// let key = client.key(&client.reference("vault:myVault:myKey")?)?;
    /// // The value that public key pinning compares (RFC 7469 section 2.4).
    /// let fingerprint = Sha256::digest(key.public_key().to_spki_der());
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_spki_der(&self) -> Vec<u8> {
        let (oid, parameters, key) = match self {
            Self::Rsa(key) => (RSA_ENCRYPTION, Any::null(), key.to_pkcs1_der()),
            Self::Ec(key) => (EC_PUBLIC_KEY, Any::from(key.curve().oid()), key.point().to_vec()),
        };
        BitString::from_bytes(&key)
            .and_then(|subject_public_key| {
                let algorithm = AlgorithmIdentifierOwned { oid, parameters: Some(parameters) };
                SubjectPublicKeyInfoOwned { algorithm, subject_public_key }.to_der()
            })
            .expect("a key that was checked when made has a DER form")
    }

    /// The key, if it is an RSA key.
    pub fn as_rsa(&self) -> Option<&RsaPublicKey> {
        match self {
            Self::Rsa(key) => Some(key),
            Self::Ec(_) => None,
        }
    }

    /// The key, if it is an elliptic-curve key.
    pub fn as_ec(&self) -> Option<&EcPublicKey> {
        match self {
            Self::Ec(key) => Some(key),
            Self::Rsa(_) => None,
        }
    }

    /// The key's size in bits: of the modulus or of the field.
    pub fn bits(&self) -> usize {
        match self {
            Self::Rsa(key) => key.bits(),
            Self::Ec(key) => key.curve().bits(),
        }
    }

    /// The length of a signature in bytes: of the modulus, or of `r` and `s` as JOSE writes them
    /// (RFC 7518 section 3.4).
    ///
    /// ```
    /// # let modulus = [0xc5; 256];
    /// let key = akv_core::RsaPublicKey::new(&modulus, &[1, 0, 1])?;
    /// assert_eq!(akv_core::PublicKey::Rsa(key).signature_len(), 256);
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    pub fn signature_len(&self) -> usize {
        match self {
            Self::Rsa(key) => key.size(),
            Self::Ec(key) => 2 * key.curve().coordinate_len(),
        }
    }

    /// For messages: `RSA-2048`, `P-256`.
    pub(crate) fn description(&self) -> String {
        match self {
            Self::Rsa(key) => format!("RSA-{}", key.bits()),
            Self::Ec(key) => key.curve().name().to_owned(),
        }
    }
}

impl EncodePublicKey for PublicKey {
    fn to_public_key_der(&self) -> spki::Result<Document> {
        Ok(Document::try_from(self.to_spki_der())?)
    }
}

fn malformed(reason: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Argument, format!("malformed public key: {reason}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The base points of secp256k1 and the NIST curves (SEC 2).
    const P256_BASE: &str = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

    #[test]
    fn ec_spki_has_the_known_form() {
        let point = hex::decode(P256_BASE).unwrap();
        let key = PublicKey::Ec(EcPublicKey::from_point(Curve::P256, &point).unwrap());
        let der = key.to_spki_der();
        // RFC 5480: SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING point }
        let head = hex::decode("3059301306072a8648ce3d020106082a8648ce3d030107034200").unwrap();
        assert_eq!(der, [head, point].concat());
        assert_eq!(PublicKey::from_spki_der(&der).unwrap(), key);
    }

    #[test]
    fn rsa_spki_strips_leading_zeros_and_round_trips() {
        let n = [&[0, 0][..], &[0xc5; 256]].concat();
        let key = PublicKey::Rsa(RsaPublicKey::new(&n, &[0, 1, 0, 1]).unwrap());
        assert_eq!(key.bits(), 2048);
        assert_eq!(PublicKey::from_spki_der(&key.to_spki_der()).unwrap(), key);
    }

    #[test]
    fn a_point_off_the_curve_is_refused() {
        let mut point = hex::decode(P256_BASE).unwrap();
        point[64] ^= 1;
        assert!(EcPublicKey::from_point(Curve::P256, &point).is_err());
        assert!(EcPublicKey::from_point(Curve::P384, &hex::decode(P256_BASE).unwrap()).is_err());
    }

    #[test]
    fn a_compressed_point_is_the_same_key() {
        // SEC 2 version 2 section 2: the base points, compressed, and their y coordinates.
        for (curve, compressed, y) in [
            (
                Curve::P256,
                "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
                "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
            ),
            (
                Curve::P256K,
                "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
                "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
            ),
        ] {
            let compressed = hex::decode(compressed).unwrap();
            let key = EcPublicKey::from_point(curve, &compressed).unwrap();
            assert_eq!(
                key,
                EcPublicKey::new(curve, &compressed[1..], &hex::decode(y).unwrap()).unwrap()
            );
            let mut other_sign = compressed.clone();
            other_sign[0] ^= 1;
            assert_ne!(EcPublicKey::from_point(curve, &other_sign).unwrap(), key);
        }
        // Not the x coordinate of any point of P-256, and one byte too few.
        let mut off_curve = vec![0; 33];
        off_curve[0] = 2;
        off_curve[32] = 1;
        assert!(EcPublicKey::from_point(Curve::P256, &off_curve).is_err());
        assert!(EcPublicKey::from_point(Curve::P256, &off_curve[..32]).is_err());
    }

    proptest! {
        #[test]
        fn mutated_spki_never_panics(at in 0usize..91, byte in any::<u8>(), cut in 0usize..92) {
            let point = hex::decode(P256_BASE).unwrap();
            let mut der =
                PublicKey::Ec(EcPublicKey::from_point(Curve::P256, &point).unwrap()).to_spki_der();
            der[at] = byte;
            der.truncate(cut);
            let _ = PublicKey::from_spki_der(&der);
        }
    }
}
