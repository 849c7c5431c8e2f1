//! The curves that the service supports.

use der::asn1::ObjectIdentifier;

use super::order;

/// A curve that the service supports.
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
}
