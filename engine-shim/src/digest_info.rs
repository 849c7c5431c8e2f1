//! What PKCS#1 v1.5 pads when it signs: a digest with the name of its function (RFC 8017 section
//! 9.2, note 1).

use akv_core::SignatureAlgorithm;

/// A digest that can be told from its `DigestInfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Md5Sha1,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Other,
}

/// The DER before the digest.
const PREFIXES: [(Kind, &[u8], usize); 5] = [
    (
        Kind::Sha1,
        &[0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14],
        20,
    ),
    (Kind::Sha224, &sha2(0x2d, 4, 28), 28),
    (Kind::Sha256, &sha2(0x31, 1, 32), 32),
    (Kind::Sha384, &sha2(0x41, 2, 48), 48),
    (Kind::Sha512, &sha2(0x51, 3, 64), 64),
];

const fn sha2(total: u8, arc: u8, len: u8) -> [u8; 19] {
    [
        0x30, total, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, arc,
        0x05, 0x00, 0x04, len,
    ]
}

/// Length of TLS 1.0's two digests, which have no name (RFC 4346 section 7.4.3).
const MD5_SHA1_LEN: usize = 36;

/// Takes apart what a caller wants padded: the digest's kind, and the digest.
pub(crate) fn split(value: &[u8]) -> (Kind, &[u8]) {
    for (kind, prefix, len) in PREFIXES {
        if let Some(digest) = value.strip_prefix(prefix)
            && digest.len() == len
        {
            return (kind, digest);
        }
    }
    let kind = if value.len() == MD5_SHA1_LEN { Kind::Md5Sha1 } else { Kind::Other };
    (kind, value)
}

impl Kind {
    /// The service's algorithm; `RSNULL` pads whatever it is given.
    pub(crate) fn algorithm(self) -> SignatureAlgorithm {
        match self {
            Self::Sha256 => SignatureAlgorithm::Rs256,
            Self::Sha384 => SignatureAlgorithm::Rs384,
            Self::Sha512 => SignatureAlgorithm::Rs512,
            _ => SignatureAlgorithm::RsNull,
        }
    }

    /// Its name, for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Md5Sha1 => "MD5-SHA1",
            Self::Sha1 => "SHA-1",
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::Other => "another value",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_told_by_their_prefix_and_their_length() {
        for (kind, prefix, len) in PREFIXES {
            let digest = vec![7; len];
            let info = [prefix, &digest].concat();
            assert_eq!(usize::from(info[1]) + 2, info.len(), "{kind:?}");
            assert_eq!(split(&info), (kind, digest.as_slice()));
            // Neither too short nor too long.
            assert_eq!(split(&info[1..]).0.algorithm(), SignatureAlgorithm::RsNull);
            assert_eq!(split(&info[..info.len() - 1]).0, Kind::Other);
            assert_ne!(split(&[&info[..], &[0]].concat()).0, kind);
        }
        assert_eq!(split(&[1; 36]), (Kind::Md5Sha1, &[1; 36][..]));
        assert_eq!(split(&[]).0, Kind::Other);
    }
}
