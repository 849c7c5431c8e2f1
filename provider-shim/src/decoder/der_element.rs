//! Reading exactly one DER element from a stream.

use ossl_abi::host::Bio;

/// Maximum element length. Key files are much shorter, and a longer PKCS#8 key cannot be ours.
const MAX_LEN: usize = 16 * 1024;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const UTF8_STRING: u8 = 0x0c;

/// Reads a SEQUENCE with its header; `None` if the element has another type or is too long.
pub(super) fn read_sequence(input: &mut Bio<'_>) -> Option<Vec<u8>> {
    let mut header = [0; 2];
    input.read_exact(&mut header).then_some(())?;
    let [SEQUENCE, first] = header else {
        return None;
    };
    let mut element = header.to_vec();
    let len = match first {
        0..=0x7f => usize::from(first),
        // Indefinite lengths (0x80) are not DER, and three length bytes exceed the limit.
        0x81 | 0x82 => {
            let mut bytes = vec![0; usize::from(first & 0x7f)];
            input.read_exact(&mut bytes).then_some(())?;
            element.extend_from_slice(&bytes);
            bytes.iter().fold(0, |len, &byte| len << 8 | usize::from(byte))
        }
        _ => return None,
    };
    if len > MAX_LEN {
        return None;
    }
    let start = element.len();
    element.resize(start + len, 0);
    input.read_exact(&mut element[start..]).then_some(element)
}

/// Whether a SEQUENCE starts like a key file of any version: a one-byte INTEGER followed by a
/// UTF8String. No other private key does.
pub(super) fn looks_like_key_file(element: &[u8]) -> bool {
    let header = match element.get(1) {
        Some(0x81) => 3,
        Some(0x82) => 4,
        _ => 2,
    };
    matches!(element.get(header..), Some([INTEGER, 1, _, UTF8_STRING, ..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_private_keys_do_not_look_like_key_files() {
        // RSAPrivateKey, ECPrivateKey, PrivateKeyInfo, Certificate.
        for start in [
            &[0x30, 0x82, 4, 0xa4, 2, 1, 0, 2, 0x82][..],
            &[0x30, 0x77, 2, 1, 1, 4, 0x20],
            &[0x30, 0x81, 0x87, 2, 1, 0, 0x30, 0x13],
            &[0x30, 0x82, 3, 0, 0x30, 0x82],
            &[0x30],
            &[],
        ] {
            assert!(!looks_like_key_file(start), "{start:02x?}");
        }
        assert!(looks_like_key_file(&[0x30, 0x0a, 2, 1, 1, 0x0c, 5]));
        assert!(looks_like_key_file(&[0x30, 0x82, 1, 0, 2, 1, 2, 0x0c, 5]));
    }
}
