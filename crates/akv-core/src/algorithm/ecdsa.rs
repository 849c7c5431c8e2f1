//! The two formats of ECDSA signatures, and the rule for digests.
//!
//! The service uses JOSE (RFC 7518 section 3.4: r and s concatenated, each as wide as the curve).
//! X.509 and TLS use DER (RFC 3279 section 2.2.3: a SEQUENCE of two INTEGERs).
//!
//! ```no_run
//! use akv_core::{Curve, SignatureAlgorithm, ecdsa};
//!
//! # fn example(key: akv_core::blocking::Key, digest: &[u8]) -> akv_core::Result<()> {
//! // A digest of any length, with a key on P-256, for a certificate.
//! let fitted = ecdsa::fit_digest(Curve::P256, digest);
//! let der = ecdsa::raw_to_der(&key.sign(SignatureAlgorithm::Es256, &fitted)?)?;
//! # Ok(())
//! # }
//! ```

use der::{Decode, Encode, Sequence, asn1::UintRef};

use crate::{Curve, Error, ErrorKind, Result};

#[derive(Sequence)]
struct EcdsaSigValue<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

/// Converts r‖s to DER.
///
/// ```
/// # use akv_core::{Curve, ecdsa};
/// let from_vault = [0x11; 64]; // what Key::sign returns for a key on P-256
/// let der = ecdsa::raw_to_der(&from_vault)?;
/// assert_eq!(der[..4], [0x30, 68, 0x02, 32]);
/// assert_eq!(ecdsa::der_to_raw(&der, Curve::P256)?, from_vault);
/// # Ok::<(), akv_core::Error>(())
/// ```
///
/// # Errors
/// The input is empty or of odd length.
pub fn raw_to_der(raw: &[u8]) -> Result<Vec<u8>> {
    if raw.is_empty() || !raw.len().is_multiple_of(2) {
        return Err(malformed("r and s must have the same length"));
    }
    let (r, s) = raw.split_at(raw.len() / 2);
    let value = EcdsaSigValue {
        r: UintRef::new(r).map_err(malformed)?,
        s: UintRef::new(s).map_err(malformed)?,
    };
    value.to_der().map_err(malformed)
}

/// Converts DER to r‖s of the curve's width.
///
/// ```
/// # use akv_core::{Curve, ErrorKind, ecdsa};
/// let der = [0x30, 6, 0x02, 1, 7, 0x02, 1, 9]; // r = 7, s = 9
/// let raw = ecdsa::der_to_raw(&der, Curve::P384)?;
/// assert_eq!((raw.len(), raw[47], raw[95]), (96, 7, 9));
/// let error = ecdsa::der_to_raw(&der[1..], Curve::P384).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Signature);
/// # Ok::<(), akv_core::Error>(())
/// ```
///
/// # Errors
/// The input is not the DER of two non-negative integers that fit the curve.
pub fn der_to_raw(der: &[u8], curve: Curve) -> Result<Vec<u8>> {
    let value = EcdsaSigValue::from_der(der).map_err(malformed)?;
    let width = curve.coordinate_len();
    let mut raw = vec![0; 2 * width];
    let (r, s) = raw.split_at_mut(width);
    for (half, integer) in [(r, value.r), (s, value.s)] {
        let bytes = integer.as_bytes();
        let start = width
            .checked_sub(bytes.len())
            .ok_or_else(|| malformed("an integer is wider than the curve"))?;
        half[start..].copy_from_slice(bytes);
    }
    Ok(raw)
}

/// Adapts any digest to the length that the service signs with a key on `curve`.
///
/// ECDSA uses the leftmost bits of a longer digest, and interprets a shorter digest as an integer
/// (FIPS 186-5 section 6.4.1). Truncating on the right and padding with zeros on the left therefore
/// do not change the signature's meaning, except for digests that [`check_digest`] refuses.
///
/// ```
/// # use akv_core::{Curve, ecdsa};
/// let sha384 = [0xab; 48];
/// assert_eq!(ecdsa::fit_digest(Curve::P256, &sha384), sha384[..32]);
/// let sha1 = [0xab; 20];
/// assert_eq!(ecdsa::fit_digest(Curve::P256, &sha1), [&[0; 12][..], &sha1].concat());
/// ```
pub fn fit_digest(curve: Curve, digest: &[u8]) -> Vec<u8> {
    let width = curve.digest_len();
    let used = &digest[..digest.len().min(width)];
    let mut fitted = vec![0; width];
    fitted[width - used.len()..].copy_from_slice(used);
    fitted
}

/// Checks that the service can sign this digest with a key on `curve` after [`fit_digest`].
///
/// ```
/// # use akv_core::{Curve, ErrorKind, ecdsa};
/// ecdsa::check_digest(Curve::P256, &[0xab; 64])?; // SHA-512, of which ECDSA uses 32 bytes
/// let error = ecdsa::check_digest(Curve::P521, &[0xab; 65]).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Unsupported);
/// # Ok::<(), akv_core::Error>(())
/// ```
///
/// # Errors
/// The digest has more bytes than the service accepts, and the curve does not truncate it to that
/// length: more than 64 bytes with P-521, which no digest in use has.
pub fn check_digest(curve: Curve, digest: &[u8]) -> Result<()> {
    let most = curve.digest_len();
    if digest.len() <= most || curve.coordinate_len() == most {
        return Ok(());
    }
    let message = format!(
        "with {} the service signs at most {most} bytes, not {}; use a digest such as SHA-512",
        curve.name(),
        digest.len()
    );
    Err(Error::new(ErrorKind::Unsupported, message))
}

/// Whether r and s are in the range of a signature on `curve` (FIPS 186-5 section 6.4.2): from one
/// to the order minus one.
pub(crate) fn in_range(raw: &[u8], curve: Curve) -> bool {
    let order = curve.order();
    let (r, s) = raw.split_at(raw.len() / 2);
    // Big-endian numbers of equal width compare like their bytes.
    [r, s].iter().all(|number| {
        number.len() == order.len() && *number < order && number.iter().any(|byte| *byte != 0)
    })
}

fn malformed(reason: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Signature, format!("malformed ECDSA signature: {reason}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CURVES: [Curve; 4] = [Curve::P256, Curve::P256K, Curve::P384, Curve::P521];

    proptest! {
        #[test]
        fn raw_and_der_round_trip(curve in 0usize..4, bytes in proptest::collection::vec(any::<u8>(), 132)) {
            let curve = CURVES[curve];
            let raw = &bytes[..2 * curve.coordinate_len()];
            let der = raw_to_der(raw).unwrap();
            prop_assert_eq!(der_to_raw(&der, curve).unwrap(), raw);
        }

        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..160)) {
            for curve in CURVES {
                let _ = der_to_raw(&bytes, curve);
            }
            let _ = raw_to_der(&bytes);
        }
    }

    #[test]
    fn integers_are_minimal_and_non_negative() {
        let mut raw = [0u8; 64];
        raw[0] = 0x80;
        raw[63] = 1;
        let der = raw_to_der(&raw).unwrap();
        assert_eq!(&der[..5], [0x30, 0x26, 0x02, 0x21, 0x00]);
        assert_eq!(&der[der.len() - 3..], [0x02, 0x01, 0x01]);
    }

    #[test]
    fn wide_integers_are_refused() {
        let p384 = raw_to_der(&[0xff; 96]).unwrap();
        assert!(der_to_raw(&p384, Curve::P256).is_err());
    }

    #[test]
    fn numbers_must_be_below_the_order() {
        for curve in CURVES {
            let width = curve.coordinate_len();
            let order = curve.order();
            let mut last = order.to_vec();
            *last.last_mut().unwrap() -= 1;
            let one = [vec![0; width - 1], vec![1]].concat();
            assert!(in_range(&[&one[..], &last].concat(), curve));
            for wrong in [order, &vec![0xff; width], &vec![0; width], &one[1..]] {
                assert!(!in_range(&[&one[..], wrong].concat(), curve), "{curve:?}");
                assert!(!in_range(&[wrong, &one[..]].concat(), curve), "{curve:?}");
            }
        }
    }

    /// Checked with the `openssl` program.
    #[test]
    fn orders_match_openssl() {
        for (curve, name) in
            CURVES.iter().zip(["prime256v1", "secp256k1", "secp384r1", "secp521r1"])
        {
            let output = std::process::Command::new("openssl")
                .args(["ecparam", "-name", name, "-param_enc", "explicit", "-text", "-noout"])
                .output()
                .unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let (_, text) = text.split_once("Order:").unwrap_or_else(|| panic!("{text}"));
            let (digits, _) = text.split_once("Cofactor").unwrap();
            let digits: String = digits.chars().filter(char::is_ascii_hexdigit).collect();
            let order: String = curve.order().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(digits.trim_start_matches('0'), order.trim_start_matches('0'), "{name}");
        }
    }

    #[test]
    fn digests_are_truncated_on_the_right_and_padded_on_the_left() {
        assert_eq!(fit_digest(Curve::P256, &[7; 48]), [7; 32]);
        let padded = fit_digest(Curve::P521, &[7; 20]);
        assert_eq!((&padded[..44], &padded[44..]), (&[0u8; 44][..], &[7u8; 20][..]));
    }

    #[test]
    fn digests_that_the_service_would_truncate_are_refused() {
        for curve in CURVES {
            assert!(check_digest(curve, &[7; 64]).is_ok(), "{curve:?}");
            assert_eq!(check_digest(curve, &[7; 65]).is_ok(), curve != Curve::P521, "{curve:?}");
        }
    }
}
