//! Digest algorithms, and the `DigestInfo` that PKCS#1 v1.5 pads when it signs: a digest with the
//! identifier of its algorithm, in DER (RFC 8017 section 9.2 and appendix A.2.4).

use std::fmt;

use der::{
    Decode, Encode, Sequence,
    asn1::{AnyRef, ObjectIdentifier, OctetStringRef},
};
use spki::AlgorithmIdentifierRef;

use crate::SignatureAlgorithm;

/// A hash algorithm for messages that are signed.
///
/// ```
/// use akv_core::DigestAlgorithm;
///
/// let info = DigestAlgorithm::Sha256.digest_info(&[7; 32]);
/// assert_eq!(info.len(), 19 + 32);
/// let (digest, value) = DigestAlgorithm::from_digest_info(&info).expect("a DigestInfo");
/// assert_eq!((digest.to_string().as_str(), value.len()), ("SHA-256", digest.len()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// MD5 (RFC 1321).
    Md5,
    /// MD5 and SHA-1 concatenated, as TLS 1.0 signs them (RFC 4346 section 7.4.3).
    Md5Sha1,
    /// SHA-1 (FIPS 180-4).
    Sha1,
    /// SHA-224 (FIPS 180-4).
    Sha224,
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// SHA-384 (FIPS 180-4).
    Sha384,
    /// SHA-512 (FIPS 180-4).
    Sha512,
    /// SHA-512/224 (FIPS 180-4).
    Sha512_224,
    /// SHA-512/256 (FIPS 180-4).
    Sha512_256,
    /// SHA3-224 (FIPS 202).
    Sha3_224,
    /// SHA3-256 (FIPS 202).
    Sha3_256,
    /// SHA3-384 (FIPS 202).
    Sha3_384,
    /// SHA3-512 (FIPS 202).
    Sha3_512,
}

/// The properties of an algorithm. Identifiers are those of RFC 8017 appendix B.1 and of NIST's
/// registry.
struct Facts {
    algorithm: DigestAlgorithm,
    name: &'static str,
    len: usize,
    oid: Option<ObjectIdentifier>,
}

macro_rules! facts {
    ($($algorithm:ident $name:literal $len:literal $($oid:literal)?;)*) => {
        &[$(Facts {
            algorithm: DigestAlgorithm::$algorithm,
            name: $name,
            len: $len,
            oid: [$(Some(ObjectIdentifier::new_unwrap($oid)),)? None][0],
        }),*]
    };
}

const FACTS: &[Facts] = facts! {
    Md5 "MD5" 16 "1.2.840.113549.2.5";
    Md5Sha1 "MD5-SHA1" 36;
    Sha1 "SHA-1" 20 "1.3.14.3.2.26";
    Sha224 "SHA-224" 28 "2.16.840.1.101.3.4.2.4";
    Sha256 "SHA-256" 32 "2.16.840.1.101.3.4.2.1";
    Sha384 "SHA-384" 48 "2.16.840.1.101.3.4.2.2";
    Sha512 "SHA-512" 64 "2.16.840.1.101.3.4.2.3";
    Sha512_224 "SHA-512/224" 28 "2.16.840.1.101.3.4.2.5";
    Sha512_256 "SHA-512/256" 32 "2.16.840.1.101.3.4.2.6";
    Sha3_224 "SHA3-224" 28 "2.16.840.1.101.3.4.2.7";
    Sha3_256 "SHA3-256" 32 "2.16.840.1.101.3.4.2.8";
    Sha3_384 "SHA3-384" 48 "2.16.840.1.101.3.4.2.9";
    Sha3_512 "SHA3-512" 64 "2.16.840.1.101.3.4.2.10";
};

#[derive(Sequence)]
struct DigestInfo<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    digest: &'a OctetStringRef,
}

impl DigestAlgorithm {
    fn facts(self) -> &'static Facts {
        FACTS.iter().find(|facts| facts.algorithm == self).expect("every algorithm has its line")
    }

    /// The usual name: `SHA-256`.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The length of a digest in bytes.
    #[allow(clippy::len_without_is_empty, reason = "no digest is empty")]
    pub fn len(self) -> usize {
        self.facts().len
    }

    /// The object identifier. [`Self::Md5Sha1`] has none.
    pub fn oid(self) -> Option<ObjectIdentifier> {
        self.facts().oid
    }

    /// The algorithm with this object identifier.
    pub fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        FACTS.iter().find(|facts| facts.oid == Some(oid)).map(|facts| facts.algorithm)
    }

    /// The value that PKCS#1 v1.5 pads: the DER `DigestInfo` around a digest, or the digest itself
    /// for [`Self::Md5Sha1`].
    pub fn digest_info(self, digest: &[u8]) -> Vec<u8> {
        let Some(oid) = self.oid() else { return digest.to_vec() };
        let encode = || -> der::Result<Vec<u8>> {
            let algorithm = AlgorithmIdentifierRef { oid, parameters: Some(AnyRef::NULL) };
            DigestInfo { algorithm, digest: OctetStringRef::new(digest)? }.to_der()
        };
        encode().expect("a digest has a short DER form")
    }

    /// Reads a DER `DigestInfo`: the algorithm and the digest. `None` unless the input is exactly
    /// what [`digest_info`](Self::digest_info) writes: any other encoding would not survive a round
    /// trip.
    pub fn from_digest_info(der: &[u8]) -> Option<(Self, &[u8])> {
        let info = DigestInfo::from_der(der).ok()?;
        let digest = info.digest.as_bytes();
        let algorithm = Self::from_oid(info.algorithm.oid)?;
        // In DER only the parameters can vary.
        let exact = info.algorithm.parameters == Some(AnyRef::NULL);
        (exact && algorithm.len() == digest.len()).then_some((algorithm, digest))
    }

    /// The service's algorithm that signs such digests with PKCS#1 v1.5.
    pub(crate) fn pkcs1(self) -> SignatureAlgorithm {
        match self {
            Self::Sha256 => SignatureAlgorithm::Rs256,
            Self::Sha384 => SignatureAlgorithm::Rs384,
            Self::Sha512 => SignatureAlgorithm::Rs512,
            _ => SignatureAlgorithm::RsNull,
        }
    }
}

impl fmt::Display for DigestAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The service's algorithm for a value that is to be padded, and its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prepared<'a> {
    /// The name of the value, for messages.
    pub(crate) name: &'static str,
    pub(crate) algorithm: SignatureAlgorithm,
    /// The input of the algorithm: the digest, or for `RSNULL` the value itself.
    pub(crate) input: &'a [u8],
}

impl<'a> Prepared<'a> {
    /// Works for any value.
    pub(crate) fn new(value: &'a [u8]) -> Self {
        let raw = |name| Self { name, algorithm: SignatureAlgorithm::RsNull, input: value };
        match DigestAlgorithm::from_digest_info(value) {
            Some((digest, input)) if digest.pkcs1() != SignatureAlgorithm::RsNull => {
                Self { name: digest.name(), algorithm: digest.pkcs1(), input }
            }
            Some((digest, _)) => raw(digest.name()),
            None if value.len() == DigestAlgorithm::Md5Sha1.len() => raw("MD5-SHA1"),
            None => raw("a raw value"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8017 section 9.2, note 1.
    fn sha2(total: u8, arc: u8, digest: &[u8]) -> Vec<u8> {
        let head = [
            0x30,
            total,
            0x30,
            0x0d,
            0x06,
            0x09,
            0x60,
            0x86,
            0x48,
            0x01,
            0x65,
            0x03,
            0x04,
            0x02,
            arc,
            0x05,
            0x00,
            0x04,
            digest.len() as u8,
        ];
        [&head[..], digest].concat()
    }

    #[test]
    fn digest_infos_of_sha_2_select_their_algorithm() {
        for (total, arc, len, name, algorithm) in [
            (0x31, 1, 32, "SHA-256", SignatureAlgorithm::Rs256),
            (0x41, 2, 48, "SHA-384", SignatureAlgorithm::Rs384),
            (0x51, 3, 64, "SHA-512", SignatureAlgorithm::Rs512),
        ] {
            let digest = vec![7; len];
            let info = sha2(total, arc, &digest);
            assert_eq!(Prepared::new(&info), Prepared { name, algorithm, input: &digest });
        }
        let sha224 = sha2(0x2d, 4, &[7; 28]);
        let prepared = Prepared::new(&sha224);
        let algorithm = SignatureAlgorithm::RsNull;
        assert_eq!(prepared, Prepared { name: "SHA-224", algorithm, input: &sha224 });
    }

    #[test]
    fn every_digest_info_round_trips() {
        for facts in FACTS {
            let digest = vec![0x5a; facts.len];
            let info = facts.algorithm.digest_info(&digest);
            let found = DigestAlgorithm::from_digest_info(&info);
            match facts.oid {
                Some(oid) => {
                    assert_eq!(found, Some((facts.algorithm, &digest[..])));
                    assert_eq!(DigestAlgorithm::from_oid(oid), Some(facts.algorithm));
                }
                None => assert_eq!((found, &info), (None, &digest)),
            }
        }
        assert_eq!(DigestAlgorithm::Sha256.digest_info(&[7; 32]), sha2(0x31, 1, &[7; 32]));
    }

    #[test]
    fn other_values_are_signed_with_rsnull() {
        let info = sha2(0x31, 1, &[7; 32]);
        let mut no_null = info.clone();
        no_null.drain(15..17);
        no_null[1] -= 2;
        no_null[3] -= 2;
        for value in [
            &info[1..],
            &info[..info.len() - 1],
            &[&info[..], &[0]].concat(),
            &sha2(0x30, 1, &[7; 31]),
            &no_null,
            &[],
            &[0x30],
        ] {
            let prepared = Prepared::new(value);
            assert_eq!(prepared.algorithm, SignatureAlgorithm::RsNull, "{value:02x?}");
            assert_eq!((prepared.name, prepared.input), ("a raw value", value));
        }
        assert_eq!(Prepared::new(&[1; 36]).name, "MD5-SHA1");
    }
}
