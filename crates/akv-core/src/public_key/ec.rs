//! Elliptic-curve public keys on the curves that the service supports.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256K1_SHA256_FIXED, ECDSA_P384_SHA384_FIXED,
    ECDSA_P521_SHA512_FIXED, EcdsaVerificationAlgorithm, ParsedPublicKey,
};
use der::Decode;
use spki::SubjectPublicKeyInfoOwned;

use super::malformed;
use crate::{Curve, Result};

impl Curve {
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

/// The uncompressed point of a key. AWS-LC exports it only as `SubjectPublicKeyInfo`.
fn uncompressed(key: &ParsedPublicKey) -> Result<Vec<u8>> {
    let der = key.as_der().map_err(|_| malformed("AWS-LC cannot write the point"))?;
    let spki = SubjectPublicKeyInfoOwned::from_der(der.as_ref()).map_err(malformed)?;
    let point = spki.subject_public_key.as_bytes();
    point.map(<[u8]>::to_vec).ok_or_else(|| malformed("unused bits"))
}
