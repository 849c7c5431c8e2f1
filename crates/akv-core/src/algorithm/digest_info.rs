//! What PKCS#1 v1.5 pads when it signs: a digest with the name of its hash function, in DER
//! (`DigestInfo`, RFC 8017 section 9.2 and appendix A.2.4).

use crate::SignatureAlgorithm;
use der::{
    Decode, Sequence,
    asn1::{AnyRef, ObjectIdentifier, OctetStringRef},
};
use spki::AlgorithmIdentifierRef;

/// Length of TLS 1.0's two digests, which have no name (RFC 4346 section 7.4.3).
const MD5_SHA1_LEN: usize = 36;

/// Object identifiers of NIST's registry and RFC 8017 appendix B.1, and the digests' lengths.
const HASHES: [(&str, ObjectIdentifier, usize); 12] = [
    ("MD5", ObjectIdentifier::new_unwrap("1.2.840.113549.2.5"), 16),
    ("SHA-1", ObjectIdentifier::new_unwrap("1.3.14.3.2.26"), 20),
    ("SHA-224", ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.4"), 28),
    ("SHA-256", ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1"), 32),
    ("SHA-384", ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2"), 48),
    ("SHA-512", ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3"), 64),
    ("SHA-512/224", ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.5"), 28),
    ("SHA-512/256", ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.6"), 32),
    ("SHA3-224", ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.7"), 28),
    ("SHA3-256", ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.8"), 32),
    ("SHA3-384", ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.9"), 48),
    ("SHA3-512", ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.10"), 64),
];

#[derive(Sequence)]
struct DigestInfo<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    digest: &'a OctetStringRef,
}

/// How the service signs a value that is to be padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prepared<'a> {
    /// What the value is, for messages.
    pub(crate) name: &'static str,
    pub(crate) algorithm: SignatureAlgorithm,
    /// What that algorithm takes: the digest, or for `RSNULL` the value as it is.
    pub(crate) input: &'a [u8],
}

impl<'a> Prepared<'a> {
    /// Any value will do.
    pub(crate) fn new(value: &'a [u8]) -> Self {
        let raw = |name| Self { name, algorithm: SignatureAlgorithm::RsNull, input: value };
        match named(value) {
            Some(("SHA-256", input)) => {
                Self { name: "SHA-256", algorithm: SignatureAlgorithm::Rs256, input }
            }
            Some(("SHA-384", input)) => {
                Self { name: "SHA-384", algorithm: SignatureAlgorithm::Rs384, input }
            }
            Some(("SHA-512", input)) => {
                Self { name: "SHA-512", algorithm: SignatureAlgorithm::Rs512, input }
            }
            Some((name, _)) => raw(name),
            None if value.len() == MD5_SHA1_LEN => raw("MD5-SHA1"),
            None => raw("a raw value"),
        }
    }
}

/// The hash's name and the digest, if the value is exactly what the service would put around it:
/// another spelling of the same would not survive being written anew.
fn named(value: &[u8]) -> Option<(&'static str, &[u8])> {
    let info = DigestInfo::from_der(value).ok()?;
    let digest = info.digest.as_bytes();
    let (name, ..) =
        HASHES.iter().find(|(_, oid, len)| *oid == info.algorithm.oid && *len == digest.len())?;
    // DER has no other freedom.
    (info.algorithm.parameters == Some(AnyRef::NULL)).then_some((name, digest))
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
    fn digests_with_a_name_are_told_apart() {
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
    fn what_is_not_exactly_a_digest_info_goes_as_it_is() {
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
