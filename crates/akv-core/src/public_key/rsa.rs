//! RSA public keys.

use der::{Decode, Encode, asn1::UintRef};

use super::malformed;
use crate::{Error, ErrorKind, Result};

/// An RSA public key. Modulus and exponent are kept without leading zeros.
///
/// ```
/// use akv_core::{PublicKey, RsaPublicKey};
///
/// # let n = [0xc5; 256];
/// let key = RsaPublicKey::new(&n, &[1, 0, 1])?; // n and e of a JSON Web Key
/// assert_eq!((key.modulus(), key.exponent()), (&n[..], &[1, 0, 1][..]));
/// assert_eq!((key.bits(), key.size()), (2048, 256));
/// let spki = PublicKey::Rsa(key).to_spki_der();
/// # let _ = spki;
/// # Ok::<(), akv_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RsaPublicKey {
    n: Vec<u8>,
    e: Vec<u8>,
}

impl RsaPublicKey {
    /// Largest modulus in bytes, the limit of OpenSSL (`OPENSSL_RSA_MAX_MODULUS_BITS`).
    const MAX_MODULUS: usize = 16_384 / 8;

    /// A key from big-endian modulus and exponent; leading zeros are dropped (imported keys have
    /// them).
    ///
    /// ```
    /// use akv_core::{ErrorKind, RsaPublicKey};
    ///
    /// # let n = [0xc5; 256];
    /// let key = RsaPublicKey::new(&[&[0], &n[..]].concat(), &[0, 1, 0, 1])?;
    /// assert_eq!(key, RsaPublicKey::new(&n, &[1, 0, 1])?);
    /// assert_eq!(RsaPublicKey::new(&n, &[2]).unwrap_err().kind(), ErrorKind::Argument);
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// The modulus is even, tiny or larger than 16 384 bits, or the exponent is even or larger
    /// than the modulus.
    pub fn new(n: &[u8], e: &[u8]) -> Result<Self> {
        let (n, e) = (strip_zeros(n), strip_zeros(e));
        if n.len() < 64 || n.len() > Self::MAX_MODULUS || n[n.len() - 1] & 1 == 0 {
            return Err(malformed("not an RSA modulus of 512 to 16384 bits"));
        }
        if e.is_empty() || e.len() > n.len() || e[e.len() - 1] & 1 == 0 {
            return Err(malformed("not an RSA public exponent"));
        }
        Ok(Self { n: n.to_vec(), e: e.to_vec() })
    }

    /// Parses a DER `RSAPublicKey` (RFC 8017 appendix A.1.1).
    ///
    /// ```
    /// # use akv_core::RsaPublicKey;
    /// # let key = RsaPublicKey::new(&[0xc5; 256], &[1, 0, 1])?;
    /// assert_eq!(RsaPublicKey::from_pkcs1_der(&key.to_pkcs1_der())?, key);
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// The DER is malformed or its numbers are not an RSA key.
    pub fn from_pkcs1_der(der: &[u8]) -> Result<Self> {
        let key = pkcs1::RsaPublicKey::<UintRef<'_>>::from_der(der).map_err(malformed)?;
        Self::new(key.modulus.as_bytes(), key.public_exponent.as_bytes())
    }

    /// Writes a DER `RSAPublicKey` (RFC 8017 appendix A.1.1).
    ///
    /// ```
    /// # use akv_core::RsaPublicKey;
    /// # let key = RsaPublicKey::new(&[0xc5; 256], &[1, 0, 1])?;
    /// let der = key.to_pkcs1_der();
    /// assert!(der.ends_with(&[0x02, 3, 1, 0, 1])); // the exponent comes last
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    pub fn to_pkcs1_der(&self) -> Vec<u8> {
        UintRef::new(&self.n)
            .and_then(|modulus| {
                let public_exponent = UintRef::new(&self.e)?;
                pkcs1::RsaPublicKey { modulus, public_exponent }.to_der()
            })
            .expect("numbers that were checked when made have a DER form")
    }

    /// The modulus, big-endian, without leading zeros.
    pub fn modulus(&self) -> &[u8] {
        &self.n
    }

    /// The public exponent, big-endian, without leading zeros.
    pub fn exponent(&self) -> &[u8] {
        &self.e
    }

    /// The size of the modulus in bits.
    pub fn bits(&self) -> usize {
        self.n.len() * 8 - self.n[0].leading_zeros() as usize
    }

    /// The size of the modulus, which is also that of a signature or ciphertext, in bytes.
    pub fn size(&self) -> usize {
        self.n.len()
    }

    /// A ciphertext as long as the modulus. libcrypto's functions treat it as a number, which may
    /// come without its leading zeros (RFC 8017 section 4.1).
    ///
    /// ```
    /// # let key = akv_core::RsaPublicKey::new(&[0xc5; 256], &[1, 0, 1])?;
    /// let ciphertext = key.pad_ciphertext(&[7; 255])?;
    /// assert_eq!((ciphertext.len(), ciphertext[0], ciphertext[1]), (256, 0, 7));
    /// assert_eq!(key.pad_ciphertext(&[7; 256])?, [7; 256]);
    /// assert!(key.pad_ciphertext(&[7; 257]).is_err());
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// It is longer than the modulus.
    pub fn pad_ciphertext(&self, ciphertext: &[u8]) -> Result<Vec<u8>> {
        let missing = self.size().checked_sub(ciphertext.len()).ok_or_else(|| {
            let (size, len) = (self.size(), ciphertext.len());
            let text = format!("an RSA ciphertext for this key has {size} bytes, not {len}");
            Error::new(ErrorKind::Argument, text)
        })?;
        Ok([&vec![0; missing], ciphertext].concat())
    }
}

fn strip_zeros(number: &[u8]) -> &[u8] {
    &number[number.iter().take_while(|byte| **byte == 0).count()..]
}
