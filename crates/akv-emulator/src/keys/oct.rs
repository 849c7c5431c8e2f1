//! Symmetric keys of a Managed HSM: AES key wrap, GCM, CBC, and HMAC.

use aes_kw::{KeyInit as _, KwAes128, KwAes192, KwAes256};
use aws_lc_rs::{
    aead::{self, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{
        self, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext,
        PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
    },
    constant_time, hmac,
    iv::FixedLength,
    rand,
};
use zeroize::Zeroizing;

use super::Rejected;

/// Bytes of an AES-GCM tag.
const TAG_LEN: usize = 16;

/// An AES or HMAC key.
pub(crate) struct OctKey {
    bytes: Zeroizing<Vec<u8>>,
}

/// The result of an AES-GCM encryption.
pub(crate) struct Sealed {
    pub(crate) iv: Vec<u8>,
    pub(crate) ciphertext: Vec<u8>,
    pub(crate) tag: Vec<u8>,
}

impl OctKey {
    pub(crate) fn generate(bits: usize) -> Result<Self, Rejected> {
        let mut bytes = Zeroizing::new(vec![0; bits / 8]);
        rand::fill(&mut bytes)?;
        Self::new(&bytes)
    }

    /// Accepts 16 to 64 bytes: the service's AES keys and HMAC keys.
    pub(crate) fn new(bytes: &[u8]) -> Result<Self, Rejected> {
        if ![16, 24, 32, 48, 64].contains(&bytes.len()) {
            return Err(Rejected);
        }
        Ok(Self { bytes: Zeroizing::new(bytes.to_vec()) })
    }

    pub(crate) fn bits(&self) -> usize {
        self.bytes.len() * 8
    }

    pub(crate) fn secret(&self) -> Zeroizing<Vec<u8>> {
        self.bytes.clone()
    }

    /// RFC 3394, with RustCrypto, since AWS-LC's interface has no 192-bit key wrap.
    pub(crate) fn wrap(&self, key: &[u8]) -> Result<Vec<u8>, Rejected> {
        let mut output = vec![0; key.len() + 8];
        let kek = self.bytes.as_slice();
        match kek.len() {
            16 => KwAes128::new_from_slice(kek).map(|kek| kek.wrap_key(key, &mut output).is_ok()),
            24 => KwAes192::new_from_slice(kek).map(|kek| kek.wrap_key(key, &mut output).is_ok()),
            _ => KwAes256::new_from_slice(kek).map(|kek| kek.wrap_key(key, &mut output).is_ok()),
        }
        .is_ok_and(|wrapped| wrapped)
        .then_some(output)
        .ok_or(Rejected)
    }

    pub(crate) fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Rejected> {
        let mut output = Zeroizing::new(vec![0; wrapped.len().saturating_sub(8)]);
        let kek = self.bytes.as_slice();
        match kek.len() {
            16 => KwAes128::new_from_slice(kek)
                .map(|kek| kek.unwrap_key(wrapped, &mut output).is_ok()),
            24 => KwAes192::new_from_slice(kek)
                .map(|kek| kek.unwrap_key(wrapped, &mut output).is_ok()),
            _ => KwAes256::new_from_slice(kek)
                .map(|kek| kek.unwrap_key(wrapped, &mut output).is_ok()),
        }
        .is_ok_and(|unwrapped| unwrapped)
        .then_some(output)
        .ok_or(Rejected)
    }

    pub(crate) fn seal(&self, plaintext: &[u8], aad: &[u8]) -> Result<Sealed, Rejected> {
        let mut nonce = [0; 12];
        rand::fill(&mut nonce)?;
        let mut ciphertext = plaintext.to_vec();
        let tag = self.gcm()?.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(aad),
            &mut ciphertext,
        )?;
        // The service writes 16 bytes of IV whose last four are zero.
        let iv = [nonce.as_slice(), &[0; 4]].concat();
        Ok(Sealed { iv, ciphertext, tag: tag.as_ref().to_vec() })
    }

    pub(crate) fn open(
        &self,
        iv: &[u8],
        ciphertext: &[u8],
        tag: &[u8],
        aad: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Rejected> {
        if tag.len() != TAG_LEN {
            return Err(Rejected);
        }
        let iv = iv.get(..12).ok_or(Rejected)?;
        let mut buffer = Zeroizing::new([ciphertext, tag].concat());
        let nonce = Nonce::try_assume_unique_for_key(iv)?;
        let len = self.gcm()?.open_in_place(nonce, Aad::from(aad), &mut buffer)?.len();
        buffer.truncate(len);
        Ok(buffer)
    }

    /// AES-CBC, with PKCS#7 padding if it `pads`, otherwise for whole blocks.
    pub(crate) fn encrypt_cbc(
        &self,
        iv: &[u8],
        plaintext: &[u8],
        pads: bool,
    ) -> Result<Vec<u8>, Rejected> {
        let context = EncryptionContext::Iv128(fixed_iv(iv)?);
        let mut buffer = plaintext.to_vec();
        if pads {
            PaddedBlockEncryptingKey::cbc_pkcs7(self.block_key()?)?
                .less_safe_encrypt(&mut buffer, context)?;
        } else {
            whole_blocks(plaintext)?;
            EncryptingKey::cbc(self.block_key()?)?.less_safe_encrypt(&mut buffer, context)?;
        }
        Ok(buffer)
    }

    pub(crate) fn decrypt_cbc(
        &self,
        iv: &[u8],
        ciphertext: &[u8],
        pads: bool,
    ) -> Result<Zeroizing<Vec<u8>>, Rejected> {
        let context = DecryptionContext::Iv128(fixed_iv(iv)?);
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let len = if pads {
            PaddedBlockDecryptingKey::cbc_pkcs7(self.block_key()?)?
                .decrypt(&mut buffer, context)?
                .len()
        } else {
            whole_blocks(ciphertext)?;
            DecryptingKey::cbc(self.block_key()?)?.decrypt(&mut buffer, context)?.len()
        };
        buffer.truncate(len);
        Ok(buffer)
    }

    /// `digest_len` selects the hash: 32, 48 or 64 bytes.
    pub(crate) fn hmac(&self, digest_len: usize, message: &[u8]) -> Vec<u8> {
        let algorithm = match digest_len {
            48 => hmac::HMAC_SHA384,
            64 => hmac::HMAC_SHA512,
            _ => hmac::HMAC_SHA256,
        };
        let key = hmac::Key::new(algorithm, &self.bytes);
        hmac::sign(&key, message).as_ref().to_vec()
    }

    pub(crate) fn verify_hmac(&self, digest_len: usize, message: &[u8], tag: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.hmac(digest_len, message), tag).is_ok()
    }

    fn gcm(&self) -> Result<LessSafeKey, Rejected> {
        let algorithm = match self.bytes.len() {
            16 => &aead::AES_128_GCM,
            24 => &aead::AES_192_GCM,
            32 => &aead::AES_256_GCM,
            _ => return Err(Rejected),
        };
        Ok(LessSafeKey::new(UnboundKey::new(algorithm, &self.bytes)?))
    }

    fn block_key(&self) -> Result<UnboundCipherKey, Rejected> {
        let algorithm = match self.bytes.len() {
            16 => &cipher::AES_128,
            24 => &cipher::AES_192,
            32 => &cipher::AES_256,
            _ => return Err(Rejected),
        };
        Ok(UnboundCipherKey::new(algorithm, &self.bytes)?)
    }
}

fn fixed_iv(iv: &[u8]) -> Result<FixedLength<16>, Rejected> {
    let iv: [u8; 16] = iv.try_into().map_err(|_| Rejected)?;
    Ok(FixedLength::from(iv))
}

fn whole_blocks(text: &[u8]) -> Result<(), Rejected> {
    if text.is_empty() || !text.len().is_multiple_of(16) { Err(Rejected) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symmetric_operations_round_trip() {
        for bits in [128, 192, 256] {
            let key = OctKey::generate(bits).unwrap();
            let sealed = key.seal(b"plaintext", b"aad").unwrap();
            let opened = key.open(&sealed.iv, &sealed.ciphertext, &sealed.tag, b"aad").unwrap();
            assert_eq!(opened.as_slice(), b"plaintext");
            assert!(key.open(&sealed.iv, &sealed.ciphertext, &sealed.tag, b"bad").is_err());
            let iv = [3; 16];
            for (plaintext, pads) in [(&b"plaintext"[..], true), (b"sixteen bytes ..", false)] {
                let ciphertext = key.encrypt_cbc(&iv, plaintext, pads).unwrap();
                let decrypted = key.decrypt_cbc(&iv, &ciphertext, pads).unwrap();
                assert_eq!(decrypted.as_slice(), plaintext);
            }
            assert!(key.encrypt_cbc(&iv, b"plaintext", false).is_err());
            assert!(key.decrypt_cbc(&iv, &[0; 17], false).is_err());
            let wrapped = key.wrap(&[9; 32]).unwrap();
            assert_eq!(key.unwrap(&wrapped).unwrap().as_slice(), [9; 32]);
            assert!(key.unwrap(&wrapped[1..]).is_err());
        }
    }

    /// RFC 3394, section 4.2.
    #[test]
    fn key_wrap_with_192_bits_matches_rfc_3394() {
        let kek: Vec<u8> = (0..24).collect();
        let data: Vec<u8> = (0..16).map(|i| i * 0x11).collect();
        let expected = [
            0x96, 0x77, 0x8b, 0x25, 0xae, 0x6c, 0xa4, 0x35, 0xf9, 0x2b, 0x5b, 0x97, 0xc0, 0x50,
            0xae, 0xd2, 0x46, 0x8a, 0xb8, 0xa1, 0x7a, 0xd8, 0x4e, 0x5d,
        ];
        assert_eq!(OctKey::new(&kek).unwrap().wrap(&data).unwrap(), expected);
    }

    #[test]
    fn hmac_is_verified() {
        let key = OctKey::new(&[1; 32]).unwrap();
        let tag = key.hmac(32, b"digest");
        assert!(key.verify_hmac(32, b"digest", &tag));
        assert!(!key.verify_hmac(32, b"Digest", &tag));
        assert!(!key.verify_hmac(48, b"digest", &tag));
    }
}
