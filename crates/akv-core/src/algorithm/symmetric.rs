//! Algorithms of a Managed HSM's symmetric keys. There is one type per shape of input, so that an
//! initialization vector or a tag cannot be forgotten.

use std::ops::RangeInclusive;

use strum::{IntoStaticStr, VariantArray};

use super::named;
use crate::{Error, ErrorKind, Result};

/// Bytes of an AES block and of a CBC initialization vector.
pub(crate) const BLOCK: usize = 16;

/// Bytes by which a wrapped key is longer than the key (RFC 3394 section 2.2.1).
const CHECK: usize = 8;

/// Key wrapping with an AES key (RFC 3394) of the algorithm's size. Its name
/// ([`FromStr`](std::str::FromStr), `Display`) is that of JOSE (RFC 7518 section 4.1): `A256KW`.
///
/// ```
/// use akv_core::{AesSize, KeyWrapAlgorithm};
///
/// /// The algorithm of a key-encryption key.
/// fn wrapping(size: AesSize) -> akv_core::Result<KeyWrapAlgorithm> {
///     format!("A{}KW", size.bits()).parse()
/// }
/// assert_eq!(wrapping(AesSize::Bits256)?, KeyWrapAlgorithm::A256Kw);
/// assert_eq!(wrapping(AesSize::Bits128)?.name(), "A128KW");
/// assert_eq!(KeyWrapAlgorithm::ALL.len(), 3);
/// # Ok::<(), akv_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[non_exhaustive]
pub enum KeyWrapAlgorithm {
    /// With a 128-bit key.
    #[strum(serialize = "A128KW")]
    A128Kw,
    /// With a 192-bit key.
    #[strum(serialize = "A192KW")]
    A192Kw,
    /// With a 256-bit key.
    #[strum(serialize = "A256KW")]
    A256Kw,
}

impl KeyWrapAlgorithm {
    /// Every algorithm.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name in requests.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Maximum number of bytes to wrap. Every key is shorter; the service's own limit is not
    /// documented.
    pub const MAX_LEN: usize = 16 * 1024;

    /// Bytes of the wrapped form of a key of `len` bytes.
    ///
    /// ```
    /// use akv_core::KeyWrapAlgorithm;
    ///
    /// assert_eq!(KeyWrapAlgorithm::wrapped_len(32)?, 40);
    /// assert!(KeyWrapAlgorithm::wrapped_len(17).is_err(), "no multiple of 8");
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// A key of this length cannot be wrapped (RFC 3394 section 2): it is shorter than 16 bytes,
    /// not a multiple of 8, or longer than [`MAX_LEN`](Self::MAX_LEN).
    pub fn wrapped_len(len: usize) -> Result<usize> {
        check_len("wraps", len, 2 * CHECK, Self::MAX_LEN)?;
        Ok(len + CHECK)
    }

    /// Bytes of the key whose wrapped form has `len` bytes.
    ///
    /// ```
    /// use akv_core::KeyWrapAlgorithm;
    ///
    /// assert_eq!(KeyWrapAlgorithm::unwrapped_len(40)?, 32);
    /// assert!(KeyWrapAlgorithm::unwrapped_len(16).is_err(), "too short");
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// No wrapped key has this length.
    pub fn unwrapped_len(len: usize) -> Result<usize> {
        check_len("unwraps", len, 3 * CHECK, Self::MAX_LEN + CHECK)?;
        Ok(len - CHECK)
    }
}

fn check_len(verb: &str, len: usize, min: usize, max: usize) -> Result<()> {
    if (min..=max).contains(&len) && len.is_multiple_of(CHECK) {
        return Ok(());
    }
    Err(argument(format!(
        "AES key wrap {verb} a multiple of {CHECK} bytes from {min} to {max}, not {len}"
    )))
}

named!(KeyWrapAlgorithm, "key-wrapping algorithm");

/// Encryption with AES in CBC mode, without or with padding (PKCS#7, RFC 5652 section 6.3). The
/// key's size must be the algorithm's. Its name ([`FromStr`](std::str::FromStr), `Display`) is the
/// service's own: `A256CBC`.
///
/// CBC does not detect changed ciphertexts, and an attacker who can distinguish good from bad
/// padding can decrypt. Authenticate ciphertexts, or use [`GcmAlgorithm`].
///
/// ```
/// use akv_core::CbcAlgorithm;
///
/// let algorithm: CbcAlgorithm = "A256CBCPAD".parse()?;
/// assert_eq!(algorithm.name(), "A256CBCPAD");
/// assert!(algorithm.pads(), "it accepts a plaintext of any length");
/// assert!(CbcAlgorithm::ALL.contains(&algorithm));
/// # Ok::<(), akv_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[non_exhaustive]
pub enum CbcAlgorithm {
    /// With a 128-bit key, whole blocks only.
    #[strum(serialize = "A128CBC")]
    A128Cbc,
    /// With a 192-bit key, whole blocks only.
    #[strum(serialize = "A192CBC")]
    A192Cbc,
    /// With a 256-bit key, whole blocks only.
    #[strum(serialize = "A256CBC")]
    A256Cbc,
    /// With a 128-bit key and padding.
    #[strum(serialize = "A128CBCPAD")]
    A128CbcPad,
    /// With a 192-bit key and padding.
    #[strum(serialize = "A192CBCPAD")]
    A192CbcPad,
    /// With a 256-bit key and padding.
    #[strum(serialize = "A256CBCPAD")]
    A256CbcPad,
}

impl CbcAlgorithm {
    /// Every algorithm.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name in requests.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether the plaintext is padded to whole blocks.
    pub fn pads(self) -> bool {
        matches!(self, Self::A128CbcPad | Self::A192CbcPad | Self::A256CbcPad)
    }

    /// The algorithm for the same key size, with or without padding.
    ///
    /// ```
    /// use akv_core::CbcAlgorithm::{A256Cbc, A256CbcPad};
    ///
    /// assert_eq!(A256Cbc.with_padding(true), A256CbcPad);
    /// assert_eq!(A256CbcPad.with_padding(false), A256Cbc);
    /// ```
    pub fn with_padding(self, pads: bool) -> Self {
        match (self, pads) {
            (Self::A128Cbc | Self::A128CbcPad, false) => Self::A128Cbc,
            (Self::A192Cbc | Self::A192CbcPad, false) => Self::A192Cbc,
            (Self::A256Cbc | Self::A256CbcPad, false) => Self::A256Cbc,
            (Self::A128Cbc | Self::A128CbcPad, true) => Self::A128CbcPad,
            (Self::A192Cbc | Self::A192CbcPad, true) => Self::A192CbcPad,
            (Self::A256Cbc | Self::A256CbcPad, true) => Self::A256CbcPad,
        }
    }

    /// Length of the ciphertext of a plaintext of `len` bytes. Padding has one to sixteen bytes.
    pub(crate) fn ciphertext_len(self, len: usize) -> usize {
        if self.pads() { (len / BLOCK + 1) * BLOCK } else { len }
    }

    /// Possible lengths of the plaintext of a ciphertext of `len` bytes.
    pub(crate) fn plaintext_len(self, len: usize) -> RangeInclusive<usize> {
        if self.pads() { len.saturating_sub(BLOCK)..=len.saturating_sub(1) } else { len..=len }
    }

    /// Refuses a plaintext with a partial block, unless the algorithm pads.
    pub(crate) fn check_plaintext(self, plaintext: &[u8]) -> Result<()> {
        if self.pads() { Ok(()) } else { self.check_blocks(plaintext, "plaintext") }
    }

    /// Refuses a ciphertext with a partial block.
    pub(crate) fn check_ciphertext(self, ciphertext: &[u8]) -> Result<()> {
        self.check_blocks(ciphertext, "ciphertext")
    }

    fn check_blocks(self, value: &[u8], what: &str) -> Result<()> {
        if value.is_empty() || !value.len().is_multiple_of(BLOCK) {
            return Err(argument(format!(
                "the {what} of {self} must be a multiple of {BLOCK} bytes, not {}",
                value.len()
            )));
        }
        Ok(())
    }
}

named!(CbcAlgorithm, "CBC algorithm");

/// Authenticated encryption with AES in GCM mode (NIST SP 800-38D). The key's size must be the
/// algorithm's. The HSM chooses the nonce. Its name ([`FromStr`](std::str::FromStr), `Display`) is
/// that of JOSE (RFC 7518 section 5.1): `A256GCM`.
///
/// ```
/// use akv_core::GcmAlgorithm;
///
/// let algorithm: GcmAlgorithm = "A256GCM".parse()?;
/// assert_eq!(algorithm, GcmAlgorithm::A256Gcm);
/// assert_eq!(algorithm.to_string(), algorithm.name());
/// assert_eq!(GcmAlgorithm::ALL.len(), 3);
/// # Ok::<(), akv_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[non_exhaustive]
pub enum GcmAlgorithm {
    /// With a 128-bit key.
    #[strum(serialize = "A128GCM")]
    A128Gcm,
    /// With a 192-bit key.
    #[strum(serialize = "A192GCM")]
    A192Gcm,
    /// With a 256-bit key.
    #[strum(serialize = "A256GCM")]
    A256Gcm,
}

impl GcmAlgorithm {
    /// Every algorithm.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name in requests.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

named!(GcmAlgorithm, "GCM algorithm");

fn argument(text: String) -> Error {
    Error::new(ErrorKind::Argument, text)
}
