//! The explicit parameters of curves, for callers that request them individually (SEC 2, FIPS 186-4
//! appendix D).

use akv_core::Curve;

/// The explicit parameters of a curve, whose cofactor is 1. Numbers are big-endian.
pub(crate) struct Numbers {
    /// The field's prime.
    pub(crate) p: &'static [u8],
    pub(crate) a: &'static [u8],
    pub(crate) b: &'static [u8],
    /// The generator, uncompressed.
    pub(crate) generator: &'static [u8],
    pub(crate) order: &'static [u8],
    /// The seed that `b` was derived from, if known.
    pub(crate) seed: Option<&'static [u8]>,
}

/// The explicit parameters of a curve.
pub(crate) fn numbers(curve: Curve) -> &'static Numbers {
    match curve {
        Curve::P256 => &P256,
        Curve::P384 => &P384,
        Curve::P521 => &P521,
        Curve::P256K => &P256K,
    }
}

/// Parses hexadecimal digits; spaces are ignored.
const fn hex<const LEN: usize>(text: &str) -> [u8; LEN] {
    let text = text.as_bytes();
    let mut bytes = [0; LEN];
    let (mut at, mut digits) = (0, 0);
    while at < text.len() {
        let digit = match text[at] {
            digit @ b'0'..=b'9' => digit - b'0',
            digit @ b'a'..=b'f' => digit - b'a' + 10,
            _ => {
                at += 1;
                continue;
            }
        };
        bytes[digits / 2] = bytes[digits / 2] << 4 | digit;
        digits += 1;
        at += 1;
    }
    assert!(digits == 2 * LEN);
    bytes
}

static P256: Numbers = Numbers {
    p: &hex::<32>("ffffffff00000001 0000000000000000 00000000ffffffff ffffffffffffffff"),
    a: &hex::<32>("ffffffff00000001 0000000000000000 00000000ffffffff fffffffffffffffc"),
    b: &hex::<32>("5ac635d8aa3a93e7 b3ebbd55769886bc 651d06b0cc53b0f6 3bce3c3e27d2604b"),
    generator: &hex::<65>(
        "046b17d1f2e12c42 47f8bce6e563a440 f277037d812deb33 a0f4a13945d898c2 \
         964fe342e2fe1a7f 9b8ee7eb4a7c0f9e 162bce33576b315e cecbb6406837bf51 \
         f5",
    ),
    order: &hex::<32>("ffffffff00000000 ffffffffffffffff bce6faada7179e84 f3b9cac2fc632551"),
    seed: Some(&hex::<20>("c49d360886e70493 6a6678e1139d26b7 819f7e90")),
};

static P384: Numbers = Numbers {
    p: &hex::<48>(
        "ffffffffffffffff ffffffffffffffff ffffffffffffffff fffffffffffffffe \
         ffffffff00000000 00000000ffffffff",
    ),
    a: &hex::<48>(
        "ffffffffffffffff ffffffffffffffff ffffffffffffffff fffffffffffffffe \
         ffffffff00000000 00000000fffffffc",
    ),
    b: &hex::<48>(
        "b3312fa7e23ee7e4 988e056be3f82d19 181d9c6efe814112 0314088f5013875a \
         c656398d8a2ed19d 2a85c8edd3ec2aef",
    ),
    generator: &hex::<97>(
        "04aa87ca22be8b05 378eb1c71ef320ad 746e1d3b628ba79b 9859f741e082542a \
         385502f25dbf5529 6c3a545e3872760a b73617de4a96262c 6f5d9e98bf9292dc \
         29f8f41dbd289a14 7ce9da3113b5f0b8 c00a60b1ce1d7e81 9d7a431d7c90ea0e \
         5f",
    ),
    order: &hex::<48>(
        "ffffffffffffffff ffffffffffffffff ffffffffffffffff c7634d81f4372ddf \
         581a0db248b0a77a ecec196accc52973",
    ),
    seed: Some(&hex::<20>("a335926aa319a27a 1d00896a6773a482 7acdac73")),
};

static P521: Numbers = Numbers {
    p: &hex::<66>(
        "01ffffffffffffff ffffffffffffffff ffffffffffffffff ffffffffffffffff \
         ffffffffffffffff ffffffffffffffff ffffffffffffffff ffffffffffffffff \
         ffff",
    ),
    a: &hex::<66>(
        "01ffffffffffffff ffffffffffffffff ffffffffffffffff ffffffffffffffff \
         ffffffffffffffff ffffffffffffffff ffffffffffffffff ffffffffffffffff \
         fffc",
    ),
    b: &hex::<65>(
        "51953eb9618e1c9a 1f929a21a0b68540 eea2da725b99b315 f3b8b489918ef109 \
         e156193951ec7e93 7b1652c0bd3bb1bf 073573df883d2c34 f1ef451fd46b503f \
         00",
    ),
    generator: &hex::<133>(
        "0400c6858e06b704 04e9cd9e3ecb6623 95b4429c64813905 3fb521f828af606b \
         4d3dbaa14b5e77ef e75928fe1dc127a2 ffa8de3348b3c185 6a429bf97e7e31c2 \
         e5bd66011839296a 789a3bc0045c8a5f b42c7d1bd998f544 49579b446817afbd \
         17273e662c97ee72 995ef42640c550b9 013fad0761353c70 86a272c24088be94 \
         769fd16650",
    ),
    order: &hex::<66>(
        "01ffffffffffffff ffffffffffffffff ffffffffffffffff ffffffffffffffff \
         fffa51868783bf2f 966b7fcc0148f709 a5d03bb5c9b8899c 47aebb6fb71e9138 \
         6409",
    ),
    seed: Some(&hex::<20>("d09e8800291cb853 96cc6717393284aa a0da64ba")),
};

static P256K: Numbers = Numbers {
    p: &hex::<32>("ffffffffffffffff ffffffffffffffff ffffffffffffffff fffffffefffffc2f"),
    a: &[],
    b: &hex::<1>("07"),
    generator: &hex::<65>(
        "0479be667ef9dcbb ac55a06295ce870b 07029bfcdb2dce28 d959f2815b16f817 \
         98483ada7726a3c4 655da4fbfc0e1108 a8fd17b448a68554 199c47d08ffb10d4 \
         b8",
    ),
    order: &hex::<32>("ffffffffffffffff fffffffffffffffe baaedce6af48a03b bfd25e8cd0364141"),
    seed: None,
};
