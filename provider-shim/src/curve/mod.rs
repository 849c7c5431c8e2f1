//! Curves with OpenSSL's names, and their parameters.

mod numbers;

pub(crate) use self::numbers::numbers;

use std::ffi::CStr;

use akv_core::Curve;

/// OpenSSL's name of a curve.
pub(crate) fn group_name(curve: Curve) -> &'static CStr {
    match curve {
        Curve::P256 => c"prime256v1",
        Curve::P256K => c"secp256k1",
        Curve::P384 => c"secp384r1",
        Curve::P521 => c"secp521r1",
    }
}

/// The curve with this name or object identifier.
pub(crate) fn curve_of(name: &str) -> Option<Curve> {
    const NAMES: [(Curve, &[&str]); 4] = [
        (Curve::P256, &["prime256v1", "P-256", "secp256r1", "1.2.840.10045.3.1.7"]),
        (Curve::P256K, &["secp256k1", "1.3.132.0.10"]),
        (Curve::P384, &["secp384r1", "P-384", "1.3.132.0.34"]),
        (Curve::P521, &["secp521r1", "P-521", "1.3.132.0.35"]),
    ];
    let known = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    NAMES.iter().find(|(_, names)| known(names)).map(|(curve, _)| *curve)
}

/// Maximum length of a DER-encoded ECDSA signature: two INTEGERs of the order's size, each with a
/// leading zero.
pub(crate) fn ecdsa_max_len(curve: Curve) -> usize {
    let width = curve.coordinate_len();
    // A zero byte precedes a number whose top bit is set, which cannot happen with P-521.
    let integer = 2 + width + usize::from(curve.bits().is_multiple_of(8));
    let content = 2 * integer;
    content + if content < 0x80 { 2 } else { 3 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_openssl() {
        // ECDSA_size() of the same curves.
        let sizes = [(Curve::P256, 72), (Curve::P256K, 72), (Curve::P384, 104), (Curve::P521, 139)];
        for (curve, size) in sizes {
            assert_eq!(ecdsa_max_len(curve), size, "{curve:?}");
        }
    }
}
