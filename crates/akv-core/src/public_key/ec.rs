//! Elliptic-curve public keys on the curves that the service has.

use super::{malformed, order};
use crate::Result;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256K1_SHA256_FIXED, ECDSA_P384_SHA384_FIXED,
    ECDSA_P521_SHA512_FIXED, EcdsaVerificationAlgorithm, ParsedPublicKey,
};
use der::{Decode, asn1::ObjectIdentifier};
use spki::SubjectPublicKeyInfoOwned;

/// A curve of the service.
///
/// ```
/// use akv_core::Curve;
///
/// let curve = Curve::P521;
/// assert_eq!((curve.name(), curve.bits()), ("P-521", 521));
/// assert_eq!((curve.coordinate_len(), curve.digest_len()), (66, 64));
/// assert_eq!(Curve::from_oid(curve.oid()), Some(curve));
/// assert_eq!(Curve::ALL.len(), 4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    /// NIST P-256, `prime256v1`.
    P256,
    /// `secp256k1`; the service writes `P-256K`.
    P256K,
    /// NIST P-384, `secp384r1`.
    P384,
    /// NIST P-521, `secp521r1`.
    P521,
}

impl Curve {
    /// Every curve.
    pub const ALL: [Self; 4] = [Self::P256, Self::P256K, Self::P384, Self::P521];

    /// The service's name (RFC 7518 section 6.2.1.1, but `P-256K` for secp256k1).
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P256K => "P-256K",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// The size of the field in bits.
    pub fn bits(self) -> usize {
        match self {
            Self::P256 | Self::P256K => 256,
            Self::P384 => 384,
            Self::P521 => 521,
        }
    }

    /// The width in bytes of a coordinate, and of r and s in a signature.
    pub fn coordinate_len(self) -> usize {
        self.bits().div_ceil(8)
    }

    /// The length in bytes of the digest that the service signs on this curve.
    pub fn digest_len(self) -> usize {
        self.coordinate_len().min(64)
    }

    /// The object identifier (RFC 5480 section 2.1.1.1, SEC 2).
    pub fn oid(self) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(match self {
            Self::P256 => "1.2.840.10045.3.1.7",
            Self::P256K => "1.3.132.0.10",
            Self::P384 => "1.3.132.0.34",
            Self::P521 => "1.3.132.0.35",
        })
    }

    /// The curve with this object identifier.
    ///
    /// ```
    /// use akv_core::Curve;
    /// use der::asn1::ObjectIdentifier;
    ///
    /// let prime256v1 = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
    /// assert_eq!(Curve::from_oid(prime256v1), Some(Curve::P256));
    /// let brainpool_p256r1 = ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.7");
    /// assert_eq!(Curve::from_oid(brainpool_p256r1), None);
    /// ```
    pub fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.oid() == oid)
    }

    /// The order of the group, big-endian and as wide as a coordinate.
    pub(crate) fn order(self) -> &'static [u8] {
        match self {
            Self::P256 => &order::P256,
            Self::P256K => &order::P256K,
            Self::P384 => &order::P384,
            Self::P521 => &order::P521,
        }
    }

    /// ECDSA over a digest of [`Self::digest_len`] bytes, with a signature of fixed width.
    pub(super) fn ecdsa(self) -> &'static EcdsaVerificationAlgorithm {
        match self {
            Self::P256 => &ECDSA_P256_SHA256_FIXED,
            Self::P256K => &ECDSA_P256K1_SHA256_FIXED,
            Self::P384 => &ECDSA_P384_SHA384_FIXED,
            Self::P521 => &ECDSA_P521_SHA512_FIXED,
        }
    }
}

/// A point on a [`Curve`], checked to lie on it.
///
/// ```
/// use akv_core::{Curve, EcPublicKey};
/// use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
///
/// // x and y of a JSON Web Key (RFC 7515 appendix A.3).
/// let x = BASE64URL.decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")?;
/// let y = BASE64URL.decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")?;
/// let key = EcPublicKey::new(Curve::P256, &x, &y)?;
/// assert_eq!((key.curve(), key.x(), key.y()), (Curve::P256, &x[..], &y[..]));
/// assert_eq!(key.point(), [&[4], &x[..], &y[..]].concat());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcPublicKey {
    curve: Curve,
    point: Vec<u8>,
}

impl EcPublicKey {
    /// A key from its big-endian coordinates; shorter ones are padded on the left.
    ///
    /// ```
    /// use akv_core::{Curve, EcPublicKey, ErrorKind};
    ///
    /// let error = EcPublicKey::new(Curve::P256, &[1], &[1]).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Argument); // (1, 1) is not on the curve
    /// ```
    ///
    /// # Errors
    /// A coordinate is too wide or the point is not on the curve.
    pub fn new(curve: Curve, x: &[u8], y: &[u8]) -> Result<Self> {
        let width = curve.coordinate_len();
        let mut point = vec![0; 1 + 2 * width];
        point[0] = 0x04;
        for (end, coordinate) in [(1 + width, x), (1 + 2 * width, y)] {
            let excess = coordinate.len().saturating_sub(width);
            let (zeros, digits) = coordinate.split_at(excess);
            if zeros.iter().any(|byte| *byte != 0) {
                return Err(malformed("a coordinate is wider than the curve"));
            }
            point[end - digits.len()..end].copy_from_slice(digits);
        }
        Self::from_point(curve, &point)
    }

    /// A key from a point, uncompressed or compressed (SEC 1 section 2.3.3). It is kept
    /// uncompressed, so that equal points are equal keys.
    ///
    /// ```
    /// use akv_core::{Curve, EcPublicKey};
    /// # use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
    /// # let x = BASE64URL.decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")?;
    /// # let y = BASE64URL.decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")?;
    ///
    /// let compressed = [&[3], &x[..]].concat(); // 3: y is odd
    /// let key = EcPublicKey::from_point(Curve::P256, &compressed)?;
    /// assert_eq!(key, EcPublicKey::new(Curve::P256, &x, &y)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The point is malformed or not on the curve.
    pub fn from_point(curve: Curve, point: &[u8]) -> Result<Self> {
        let width = curve.coordinate_len();
        let compressed = match point {
            [0x04, coordinates @ ..] if coordinates.len() == 2 * width => false,
            [0x02 | 0x03, x @ ..] if x.len() == width => true,
            _ => return Err(malformed(format!("not a point on {}", curve.name()))),
        };
        let off_curve = |_| malformed(format!("the point is not on {}", curve.name()));
        let parsed = ParsedPublicKey::new(curve.ecdsa(), point).map_err(off_curve)?;
        let point = if compressed { uncompressed(&parsed)? } else { point.to_vec() };
        Ok(Self { curve, point })
    }

    /// The curve.
    pub fn curve(&self) -> Curve {
        self.curve
    }

    /// The x coordinate, big-endian, as wide as the curve.
    pub fn x(&self) -> &[u8] {
        &self.point[1..1 + self.curve.coordinate_len()]
    }

    /// The y coordinate, big-endian, as wide as the curve.
    pub fn y(&self) -> &[u8] {
        &self.point[1 + self.curve.coordinate_len()..]
    }

    /// The uncompressed point: `04 ‖ x ‖ y`.
    pub fn point(&self) -> &[u8] {
        &self.point
    }
}

/// The uncompressed point of a key. AWS-LC gives it out as `SubjectPublicKeyInfo` only.
fn uncompressed(key: &ParsedPublicKey) -> Result<Vec<u8>> {
    let der = key.as_der().map_err(|_| malformed("AWS-LC cannot write the point"))?;
    let spki = SubjectPublicKeyInfoOwned::from_der(der.as_ref()).map_err(malformed)?;
    let point = spki.subject_public_key.as_bytes();
    point.map(<[u8]>::to_vec).ok_or_else(|| malformed("unused bits"))
}
