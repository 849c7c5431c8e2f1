//! `RSA_METHOD`: private-key operations of RSA keys in a vault.
//!
//! libcrypto calls it from `RSA_sign`, `RSA_private_encrypt` and `RSA_private_decrypt`, and from
//! `EVP_PKEY_sign` and related functions with PKCS#1 padding. Public operations stay libcrypto's
//! own.

use std::ffi::{CStr, c_int, c_uchar};
use std::ptr;

use akv_core::blocking::{Key, Pending};
use akv_core::{EncryptionAlgorithm, RsaPublicKey};
use ossl_abi::entry;
use ossl_abi::guard::{self, Return, deep};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::host::{Libcrypto, SLOTS, per_slot};
use crate::job;
use crate::key;
use crate::libcrypto::KeyFunctions;
use crate::libcrypto::constants::padding;
use crate::libcrypto::types::{Rsa, RsaMethod, RsaPrivateFn};

/// The `RSA_METHOD` of our keys in one libcrypto.
pub(crate) struct Method(pub(crate) *const RsaMethod);

impl Method {
    /// # Safety
    /// The functions are libcrypto's, and the slot is that of their host.
    pub(crate) unsafe fn new(functions: &KeyFunctions, name: &CStr, slot: usize) -> Result<Self> {
        const ENCRYPT: [RsaPrivateFn; SLOTS] = per_slot!(private_encrypt);
        const DECRYPT: [RsaPrivateFn; SLOTS] = per_slot!(private_decrypt);
        // SAFETY: libcrypto's functions with valid arguments; the method is never freed.
        unsafe {
            let method = (functions.RSA_meth_dup)((functions.RSA_PKCS1_OpenSSL)());
            if method.is_null()
                || (functions.RSA_meth_set1_name)(method, name.as_ptr()) != 1
                || (functions.RSA_meth_set_priv_enc)(method, ENCRYPT[slot]) != 1
                || (functions.RSA_meth_set_priv_dec)(method, DECRYPT[slot]) != 1
            {
                return Err(Error::libcrypto("RSA_meth_dup"));
            }
            Ok(Self(method))
        }
    }
}

/// The length of an output; -1 reports failure.
struct Length(c_int);

impl Return for Length {
    type Raw = c_int;
    const FAILED: c_int = -1;
    fn into_raw(self) -> c_int {
        self.0
    }
}

entry! {
    fn private_encrypt<const SLOT: usize>(
        "RSA_private_encrypt",
        host in Libcrypto::at(SLOT),
        len: c_int,
        from: *const c_uchar,
        to: *mut c_uchar,
        rsa: *mut Rsa,
        mode: c_int,
    ) -> Result<Length>, waits {
        // SAFETY: libcrypto passes its key, and data of that length.
        let (room, pending) = deep(|| unsafe { start_sign(host, rsa, input(from, len)?, mode) })?;
        let signature: Vec<u8> = job::wait::<_, Error>(pending)?;
        // SAFETY: RSA_private_encrypt(3) requires room for the size of the modulus.
        unsafe { output(to, room, &signature) }
    }
}

entry! {
    fn private_decrypt<const SLOT: usize>(
        "RSA_private_decrypt",
        host in Libcrypto::at(SLOT),
        len: c_int,
        from: *const c_uchar,
        to: *mut c_uchar,
        rsa: *mut Rsa,
        mode: c_int,
    ) -> Result<Length>, waits {
        // SAFETY: libcrypto passes its key, and data of that length.
        let (room, pending) = deep(|| unsafe { start_decrypt(host, rsa, input(from, len)?, mode) })?;
        let plaintext = job::wait::<_, Error>(pending)?;
        // SAFETY: RSA_private_decrypt(3) requires at least this much room.
        unsafe { output(to, room, &plaintext) }
    }
}

/// Starts to sign, and returns the length of the signature too.
///
/// # Safety
/// `rsa` is null or a key of this libcrypto.
unsafe fn start_sign(
    host: &Libcrypto,
    rsa: *mut Rsa,
    data: &[u8],
    mode: c_int,
) -> Result<(usize, Pending<Vec<u8>>)> {
    // SAFETY: guaranteed by the caller.
    let key = unsafe { key::of_rsa(host, rsa) }?;
    if mode != padding::PKCS1 {
        return Err(Error::unsupported(format!(
            "the vault does not sign with RSA padding {} (raw RSA): {}",
            padding_name(mode),
            key.reference()
        )));
    }
    Ok((modulus_len(&key)?, key.start_sign_pkcs1(data)?))
}

/// Starts to decrypt, and returns the room that a caller has for the plaintext too.
///
/// # Safety
/// `rsa` is null or a key of this libcrypto.
unsafe fn start_decrypt(
    host: &Libcrypto,
    rsa: *mut Rsa,
    data: &[u8],
    mode: c_int,
) -> Result<(usize, Pending<Zeroizing<Vec<u8>>>)> {
    // SAFETY: guaranteed by the caller.
    let key = unsafe { key::of_rsa(host, rsa) }?;
    let public = rsa_public_key(&key)?;
    let algorithm = match mode {
        padding::PKCS1 | padding::PKCS1_NO_IMPLICIT_REJECTION => EncryptionAlgorithm::Rsa15,
        padding::OAEP => EncryptionAlgorithm::RsaOaep,
        padding::NONE => return Ok((public.size(), start_decrypt_block(&key, data)?)),
        other => {
            return Err(Error::unsupported(format!(
                "the vault does not decrypt with RSA padding {}; use PKCS#1 or OAEP: {}",
                padding_name(other),
                key.reference()
            )));
        }
    };
    Ok((algorithm.max_plaintext_len(public), start_decrypt_with(&key, algorithm, data)?))
}

/// # Safety
/// As for [`guard::bytes`].
unsafe fn input<'a>(data: *const c_uchar, len: c_int) -> Result<&'a [u8]> {
    let len = usize::try_from(len).map_err(|_| Error::argument("the length is negative"))?;
    // SAFETY: guaranteed by the caller.
    unsafe { guard::bytes(data, len) }.ok_or_else(|| Error::null("data"))
}

/// # Safety
/// `to` is null or has room for `room` bytes.
unsafe fn output(to: *mut c_uchar, room: usize, data: &[u8]) -> Result<Length> {
    let len = c_int::try_from(data.len()).map_err(|_| Error::internal("the result is too long"))?;
    if to.is_null() {
        return Err(Error::null("buffer for the result"));
    }
    if data.len() > room {
        return Err(Error::internal(format!(
            "the result has {} bytes, more than expected",
            data.len()
        )));
    }
    // SAFETY: guaranteed by the caller; the data is ours and does not overlap.
    unsafe { ptr::copy_nonoverlapping(data.as_ptr(), to, data.len()) };
    Ok(Length(len))
}

/// The size of the modulus in bytes.
pub fn modulus_len(key: &Key) -> Result<usize> {
    Ok(rsa_public_key(key)?.size())
}

fn rsa_public_key(key: &Key) -> Result<&RsaPublicKey> {
    let public = key.public_key().as_rsa();
    public.ok_or_else(|| Error::internal("not an RSA key in an RSA operation"))
}

pub fn padding_name(mode: c_int) -> String {
    match mode {
        padding::PKCS1 | padding::PKCS1_NO_IMPLICIT_REJECTION => "pkcs1".into(),
        padding::NONE => "none".into(),
        padding::OAEP => "oaep".into(),
        padding::X931 => "x931".into(),
        padding::PSS => "pss".into(),
        other => other.to_string(),
    }
}

/// Starts to decrypt in the vault.
///
/// # Errors
/// The ciphertext is longer than the modulus, or the operation cannot be started.
pub fn start_decrypt_with(
    key: &Key,
    algorithm: EncryptionAlgorithm,
    ciphertext: &[u8],
) -> Result<Pending<Zeroizing<Vec<u8>>>> {
    Ok(key.start_decrypt(algorithm, &rsa_public_key(key)?.pad_ciphertext(ciphertext)?)?)
}

/// Starts to decrypt without removing the padding. TLS servers of 1.1.1 request this: they check the
/// padding themselves, so that clients cannot learn whether it was valid. Since the vault removes
/// the padding, the block is rebuilt around its result.
fn start_decrypt_block(key: &Key, ciphertext: &[u8]) -> Result<Pending<Zeroizing<Vec<u8>>>> {
    Ok(key.start_tls_premaster_block(&rsa_public_key(key)?.pad_ciphertext(ciphertext)?)?)
}
