//! RSASSA-PSS verification for parameters that AWS-LC and RustCrypto do not support: MGF1 with a
//! digest other than the message's (RFC 8017 sections 8.1.2 and 9.1.2). The rule for signing is
//! [`akv_core::PssParameters`].

use akv_core::RsaPublicKey;

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::rsa_public::apply;

/// The parameters of a signature.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameters {
    pub(super) digest: Digest,
    pub(super) mgf1: Digest,
    /// `None` accepts any length.
    pub(super) salt_len: Option<usize>,
}

/// Verifies a signature of `hash`.
pub(super) fn verify(
    key: &RsaPublicKey,
    parameters: Parameters,
    hash: &[u8],
    signature: &[u8],
) -> Result<()> {
    let message = apply(key, signature)?;
    // The modulus may be one bit longer than a whole number of bytes. The encoded message is then
    // one byte shorter than the signature.
    let bits = key.bits() - 1;
    let (unused, encoded) = message.split_at(message.len() - bits.div_ceil(8));
    let sound =
        unused.iter().all(|byte| *byte == 0) && is_encoding(encoded, bits, parameters, hash);
    if sound { Ok(()) } else { Err(Error::Silent) }
}

/// EMSA-PSS-VERIFY: whether `encoded`, which has `bits` bits, encodes `hash`.
fn is_encoding(encoded: &[u8], bits: usize, parameters: Parameters, hash: &[u8]) -> bool {
    let Parameters { digest, mgf1, salt_len } = parameters;
    let Some((0xbc, rest)) = encoded.split_last() else {
        return false;
    };
    let Some(masked_len) = rest.len().checked_sub(digest.len()) else {
        return false;
    };
    let (masked, expected) = rest.split_at(masked_len);
    // The unused top bits must be zero.
    let top = 0xff_u8 >> (8 * encoded.len() - bits);
    if masked.first().is_none_or(|first| first & !top != 0) {
        return false;
    }
    let mut block: Vec<u8> =
        masked.iter().zip(mask(mgf1, expected, masked_len)).map(|(a, b)| a ^ b).collect();
    block[0] &= top;
    let zeros = block.iter().take_while(|byte| **byte == 0).count();
    let Some((1, salt)) = block[zeros..].split_first() else {
        return false;
    };
    if salt_len.is_some_and(|len| len != salt.len()) {
        return false;
    }
    let mut hasher = digest.hasher();
    for part in [&[0; 8][..], hash, salt] {
        hasher.update(part);
    }
    hasher.finish() == expected
}

/// MGF1 (RFC 8017 appendix B.2.1).
fn mask(digest: Digest, seed: &[u8], len: usize) -> Vec<u8> {
    let mut mask = Vec::with_capacity(len + digest.len());
    for counter in 0_u32.. {
        if mask.len() >= len {
            break;
        }
        let mut hasher = digest.hasher();
        hasher.update(seed);
        hasher.update(&counter.to_be_bytes());
        mask.extend(hasher.finish());
    }
    mask.truncate(len);
    mask
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// EMSA-PSS-ENCODE.
    fn encode(bits: usize, parameters: Parameters, hash: &[u8], salt: &[u8]) -> Vec<u8> {
        let Parameters { digest, mgf1, .. } = parameters;
        let mut hasher = digest.hasher();
        for part in [&[0; 8][..], hash, salt] {
            hasher.update(part);
        }
        let expected = hasher.finish();
        let len = bits.div_ceil(8);
        let mut block = vec![0; len - digest.len() - 1 - salt.len() - 1];
        block.push(1);
        block.extend(salt);
        let mask = mask(mgf1, &expected, block.len());
        block.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        block[0] &= 0xff >> (8 * len - bits);
        [&block[..], &expected, &[0xbc]].concat()
    }

    #[test]
    fn mgf1_is_that_of_published_vectors() {
        // The commonly published examples of MGF1, with the seeds "foo" and "bar".
        let hex = |bytes: Vec<u8>| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(hex(mask(Digest::Sha1, b"foo", 5)), "1ac9075cd4");
        assert_eq!(hex(mask(Digest::Sha1, b"bar", 5)), "bc0c655e01");
        assert_eq!(hex(mask(Digest::Sha256, b"bar", 10)), "382576a7841021cc28fc");
    }

    proptest! {
        #[test]
        fn exactly_what_was_encoded_is_accepted(
            bits in 1024_usize..1033,
            digests in (0_u8..13, 0_u8..13),
            salt_len in 0_usize..60,
            flip in (any::<prop::sample::Index>(), 0_u8..8),
        ) {
            let digest = Digest::from_number(digests.0);
            let mgf1 = Digest::from_number(digests.1);
            let parameters = Parameters { digest, mgf1, salt_len: Some(salt_len) };
            let hash = vec![0x5a; digest.len()];
            let mut encoded = encode(bits, parameters, &hash, &vec![0xa5; salt_len]);
            prop_assert!(is_encoding(&encoded, bits, parameters, &hash));
            let any = Parameters { salt_len: None, ..parameters };
            prop_assert!(is_encoding(&encoded, bits, any, &hash));
            let other = Parameters { salt_len: Some(salt_len + 1), ..parameters };
            prop_assert!(!is_encoding(&encoded, bits, other, &hash));
            let at = flip.0.index(encoded.len());
            encoded[at] ^= 1 << flip.1;
            prop_assert!(!is_encoding(&encoded, bits, parameters, &hash));
            encoded.truncate(at);
            prop_assert!(!is_encoding(&encoded, 8 * at, parameters, &hash));
        }
    }
}
