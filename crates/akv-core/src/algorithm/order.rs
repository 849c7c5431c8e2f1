//! The orders of the curves' groups (SEC 2 version 2, sections 2.4 to 2.6).

pub(super) const P256: [u8; 32] = number(
    b"ffffffff00000000ffffffffffffffff\
      bce6faada7179e84f3b9cac2fc632551",
);

pub(super) const P256K: [u8; 32] = number(
    b"fffffffffffffffffffffffffffffffe\
      baaedce6af48a03bbfd25e8cd0364141",
);

pub(super) const P384: [u8; 48] = number(
    b"ffffffffffffffffffffffffffffffff\
      ffffffffffffffffc7634d81f4372ddf\
      581a0db248b0a77aecec196accc52973",
);

pub(super) const P521: [u8; 66] = number(
    b"01ffffffffffffffffffffffffffffffff\
      ffffffffffffffffffffffffffffffff\
      fa51868783bf2f966b7fcc0148f709a5\
      d03bb5c9b8899c47aebb6fb71e91386409",
);

/// Decodes hexadecimal digits at compile time.
const fn number<const LEN: usize>(digits: &[u8]) -> [u8; LEN] {
    assert!(digits.len() == 2 * LEN);
    let mut bytes = [0; LEN];
    let mut place = 0;
    while place < LEN {
        bytes[place] = digit(digits[2 * place]) << 4 | digit(digits[2 * place + 1]);
        place += 1;
    }
    bytes
}

const fn digit(ascii: u8) -> u8 {
    match ascii {
        b'0'..=b'9' => ascii - b'0',
        b'a'..=b'f' => ascii - b'a' + 10,
        _ => panic!("no hexadecimal digit"),
    }
}
