//! Digests: their OpenSSL names, signature object identifiers, and computation.

use std::ffi::CStr;

use akv_core::DigestAlgorithm;
use aws_lc_rs::digest::{self as aws, Context};
use der::asn1::ObjectIdentifier;
use ossl_abi::host::HostDigest;
use sha2::digest::Digest as _;

use crate::error::{Error, Result};

/// A digest for signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Digest {
    Md5,
    /// The concatenation used by TLS 1.0.
    Md5Sha1,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha512_224,
    Sha512_256,
    Sha3_224,
    Sha3_256,
    Sha3_384,
    Sha3_512,
}

impl Digest {
    /// All digests, indexed by `as u8`.
    const ALL: [Self; 13] = [
        Self::Md5,
        Self::Md5Sha1,
        Self::Sha1,
        Self::Sha224,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
        Self::Sha512_224,
        Self::Sha512_256,
        Self::Sha3_224,
        Self::Sha3_256,
        Self::Sha3_384,
        Self::Sha3_512,
    ];

    /// The digest whose `as u8` is this number; function tables have a number as their const
    /// parameter.
    ///
    /// # Panics
    /// The number is invalid; in a constant this is a compile error.
    pub(crate) const fn from_number(number: u8) -> Self {
        Self::ALL[number as usize]
    }
}

/// Data of a digest. The object identifiers are from RFC 8017, RFC 5758, RFC 8692 and NIST's
/// registry (csrc.nist.gov/projects/computer-security-objects-register).
struct Info {
    digest: Digest,
    algorithm: DigestAlgorithm,
    /// OpenSSL's names; we return the first.
    names: &'static [&'static CStr],
    rsa_oid: Option<ObjectIdentifier>,
    ecdsa_oid: Option<ObjectIdentifier>,
}

const fn oid(text: &'static str) -> Option<ObjectIdentifier> {
    if text.is_empty() { None } else { Some(ObjectIdentifier::new_unwrap(text)) }
}

macro_rules! digests {
    ($($name:ident [$($alias:literal),*] $rsa:literal $ecdsa:literal;)*) => {
        const INFOS: &[Info] = &[$(Info {
            digest: Digest::$name,
            algorithm: DigestAlgorithm::$name,
            names: &[$($alias),*],
            rsa_oid: oid($rsa),
            ecdsa_oid: oid($ecdsa),
        }),*];
    };
}

digests! {
    Md5 [c"MD5", c"SSL3-MD5"]
        "1.2.840.113549.1.1.4" "";
    Md5Sha1 [c"MD5-SHA1"]
        "" "";
    Sha1 [c"SHA1", c"SHA-1", c"SSL3-SHA1"]
        "1.2.840.113549.1.1.5" "1.2.840.10045.4.1";
    Sha224 [c"SHA224", c"SHA2-224", c"SHA-224"]
        "1.2.840.113549.1.1.14" "1.2.840.10045.4.3.1";
    Sha256 [c"SHA256", c"SHA2-256", c"SHA-256"]
        "1.2.840.113549.1.1.11" "1.2.840.10045.4.3.2";
    Sha384 [c"SHA384", c"SHA2-384", c"SHA-384"]
        "1.2.840.113549.1.1.12" "1.2.840.10045.4.3.3";
    Sha512 [c"SHA512", c"SHA2-512", c"SHA-512"]
        "1.2.840.113549.1.1.13" "1.2.840.10045.4.3.4";
    Sha512_224 [c"SHA512-224", c"SHA2-512/224", c"SHA-512/224"]
        "1.2.840.113549.1.1.15" "";
    Sha512_256 [c"SHA512-256", c"SHA2-512/256", c"SHA-512/256"]
        "1.2.840.113549.1.1.16" "";
    Sha3_224 [c"SHA3-224"]
        "2.16.840.1.101.3.4.3.13" "2.16.840.1.101.3.4.3.9";
    Sha3_256 [c"SHA3-256"]
        "2.16.840.1.101.3.4.3.14" "2.16.840.1.101.3.4.3.10";
    Sha3_384 [c"SHA3-384"]
        "2.16.840.1.101.3.4.3.15" "2.16.840.1.101.3.4.3.11";
    Sha3_512 [c"SHA3-512"]
        "2.16.840.1.101.3.4.3.16" "2.16.840.1.101.3.4.3.12";
}

impl Digest {
    /// The digest with this OpenSSL name or object identifier; case is ignored.
    ///
    /// # Errors
    /// The digest is not supported.
    pub(crate) fn from_name(name: &str) -> Result<Self> {
        let by_oid = ObjectIdentifier::new(name).ok();
        let found = INFOS.iter().find(|info| {
            info.names.iter().any(|known| known.to_bytes().eq_ignore_ascii_case(name.as_bytes()))
                || (by_oid.is_some() && info.algorithm.oid() == by_oid)
        });
        found.map(|info| info.digest).ok_or_else(|| {
            Error::unsupported(format!(
                "digest {name} is not supported by akv_provider; use SHA-1, SHA-2 or SHA-3"
            ))
        })
    }

    fn info(self) -> &'static Info {
        INFOS.iter().find(|info| info.digest == self).expect("every digest has its line")
    }

    /// The algorithm.
    pub(crate) fn algorithm(self) -> DigestAlgorithm {
        self.info().algorithm
    }

    /// OpenSSL's name.
    pub(crate) fn name(self) -> &'static CStr {
        self.info().names[0]
    }

    /// The name, for messages.
    pub(crate) fn display(self) -> &'static str {
        self.name().to_str().expect("names are ASCII")
    }

    /// Its length in bytes.
    pub(crate) fn len(self) -> usize {
        self.algorithm().len()
    }

    /// The object identifier. MD5-SHA1 has none.
    pub(crate) fn oid(self) -> Option<ObjectIdentifier> {
        self.algorithm().oid()
    }

    /// The object identifier of RSASSA-PKCS1-v1_5 with this digest.
    pub(crate) fn rsa_oid(self) -> Option<ObjectIdentifier> {
        self.info().rsa_oid
    }

    /// The object identifier of ECDSA with this digest.
    pub(crate) fn ecdsa_oid(self) -> Option<ObjectIdentifier> {
        self.info().ecdsa_oid
    }

    /// Parses a DER `DigestInfo`; `None` if it is malformed or the digest is unknown.
    pub(crate) fn from_digest_info(der: &[u8]) -> Option<(Self, &[u8])> {
        let (algorithm, value) = DigestAlgorithm::from_digest_info(der)?;
        let info = INFOS.iter().find(|info| info.algorithm == algorithm)?;
        Some((info.digest, value))
    }

    /// Starts a computation.
    pub(crate) fn hasher(self) -> Hasher {
        let aws = match self {
            Self::Md5 => return Hasher::Md5(md5::Md5::new()),
            Self::Md5Sha1 => {
                let sha1 = Context::new(&aws::SHA1_FOR_LEGACY_USE_ONLY);
                return Hasher::Md5Sha1(md5::Md5::new(), Box::new(sha1));
            }
            Self::Sha512_224 => return Hasher::Sha512_224(Box::new(sha2::Sha512_224::new())),
            Self::Sha3_224 => return Hasher::Sha3_224(Box::new(sha3::Sha3_224::new())),
            Self::Sha1 => &aws::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha224 => &aws::SHA224,
            Self::Sha256 => &aws::SHA256,
            Self::Sha384 => &aws::SHA384,
            Self::Sha512 => &aws::SHA512,
            Self::Sha512_256 => &aws::SHA512_256,
            Self::Sha3_256 => &aws::SHA3_256,
            Self::Sha3_384 => &aws::SHA3_384,
            Self::Sha3_512 => &aws::SHA3_512,
        };
        Hasher::Aws(Box::new(Context::new(aws)))
    }
}

/// A running digest, by AWS-LC, or by RustCrypto where AWS-LC's Rust interface lacks the algorithm.
#[derive(Clone)]
pub(crate) enum Hasher {
    Aws(Box<Context>),
    Md5(md5::Md5),
    Md5Sha1(md5::Md5, Box<Context>),
    Sha512_224(Box<sha2::Sha512_224>),
    Sha3_224(Box<sha3::Sha3_224>),
    /// Computed by another provider of the host.
    Host(HostDigest),
}

impl Hasher {
    pub(crate) fn update(&mut self, data: &[u8]) {
        match self {
            Self::Aws(context) => context.update(data),
            Self::Md5(md5) => md5.update(data),
            Self::Md5Sha1(md5, sha1) => {
                md5.update(data);
                sha1.update(data);
            }
            Self::Sha512_224(sha2) => sha2.update(data),
            Self::Sha3_224(sha3) => sha3.update(data),
            Self::Host(digest) => digest.update(data),
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        match self {
            Self::Aws(context) => context.finish().as_ref().to_vec(),
            Self::Md5(md5) => md5.finalize().to_vec(),
            Self::Md5Sha1(md5, sha1) => {
                [md5.finalize().as_slice(), sha1.finish().as_ref()].concat()
            }
            Self::Sha512_224(sha2) => sha2.finalize().to_vec(),
            Self::Sha3_224(sha3) => sha3.finalize().to_vec(),
            // If the host failed, the digest is empty, which no vault signs.
            Self::Host(digest) => digest.finish().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(digest: Digest, data: &[u8]) -> String {
        let mut hasher = digest.hasher();
        hasher.update(data);
        hasher.finish().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn digests_of_abc_are_the_published_ones() {
        // FIPS 180-4 and FIPS 202 examples, RFC 1321 for MD5.
        let md5 = "900150983cd24fb0d6963f7d28e17f72";
        let sha1 = "a9993e364706816aba3e25717850c26c9cd0d89d";
        assert_eq!(hash(Digest::Md5, b"abc"), md5);
        assert_eq!(hash(Digest::Sha1, b"abc"), sha1);
        assert_eq!(hash(Digest::Md5Sha1, b"abc"), format!("{md5}{sha1}"));
        assert_eq!(
            hash(Digest::Sha256, b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            hash(Digest::Sha512_224, b"abc"),
            "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa"
        );
        assert_eq!(
            hash(Digest::Sha3_224, b"abc"),
            "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"
        );
    }

    #[test]
    fn every_digest_has_its_number() {
        for digest in Digest::ALL {
            assert_eq!(Digest::from_number(digest as u8), digest);
        }
        assert_eq!(INFOS.len(), Digest::ALL.len());
    }

    #[test]
    fn every_digest_has_the_length_it_says_and_is_found_by_its_names() {
        for info in INFOS {
            let len = info.digest.hasher().finish().len();
            assert_eq!(len, info.digest.len(), "{:?}", info.digest);
            for name in info.names {
                let name = name.to_str().expect("ASCII").to_lowercase();
                assert_eq!(Digest::from_name(&name).expect("known"), info.digest);
            }
            if let Some(oid) = info.digest.oid() {
                assert_eq!(Digest::from_name(&oid.to_string()).expect("known"), info.digest);
            }
        }
        assert!(Digest::from_name("BLAKE2S-256").is_err());
    }
}
