//! Decryption of encrypted PKCS#8 by the host's libcrypto, with every cipher and key derivation
//! function of its providers.

use std::ffi::{c_char, c_int, c_long, c_uchar, c_void};
use std::ptr;

use zeroize::Zeroizing;

use super::{Host, libcrypto_functions};
use crate::types::CoreContext;

type Encrypted = *mut c_void;
type Decrypted = *mut c_void;

libcrypto_functions! {
    read = c"d2i_X509_SIG":
        unsafe extern "C" fn(*mut Encrypted, *mut *const c_uchar, c_long) -> Encrypted;
    free_encrypted = c"X509_SIG_free": unsafe extern "C" fn(Encrypted);
    decrypt = c"PKCS8_decrypt_ex":
        unsafe extern "C" fn(
            Encrypted, *const c_char, c_int, *mut CoreContext, *const c_char
        ) -> Decrypted;
    write = c"i2d_PKCS8_PRIV_KEY_INFO":
        unsafe extern "C" fn(Decrypted, *mut *mut c_uchar) -> c_int;
    free_decrypted = c"PKCS8_PRIV_KEY_INFO_free": unsafe extern "C" fn(Decrypted);
}

impl Host {
    /// Returns the `PrivateKeyInfo` of an `EncryptedPrivateKeyInfo` (RFC 5958). Returns `None` if
    /// `der` is invalid, the passphrase is wrong, or libcrypto's functions cannot be found. Leaves
    /// no error in the queue.
    pub fn decrypt_pkcs8(&self, der: &[u8], passphrase: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let functions = Functions::find(&self.libcrypto()?)?;
        let library_context = self.library_context()?;
        self.quietly(|| decrypt(&functions, library_context, der, passphrase))
    }
}

fn decrypt(
    functions: &Functions,
    library_context: *mut CoreContext,
    der: &[u8],
    passphrase: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (len, passphrase_len) =
        (c_long::try_from(der.len()).ok()?, c_int::try_from(passphrase.len()).ok()?);
    let mut start = der.as_ptr();
    // SAFETY: the slices have the stated lengths, and each object is freed once, after its last
    // use. Freeing null does nothing.
    unsafe {
        let encrypted = (functions.read)(ptr::null_mut(), &mut start, len);
        if encrypted.is_null() {
            return None;
        }
        let passphrase = passphrase.as_ptr().cast();
        let decrypted = (functions.decrypt)(
            encrypted,
            passphrase,
            passphrase_len,
            library_context,
            ptr::null(),
        );
        (functions.free_encrypted)(encrypted);
        if decrypted.is_null() {
            return None;
        }
        let content = encode(functions, decrypted);
        (functions.free_decrypted)(decrypted);
        content
    }
}

/// # Safety
/// `decrypted` is libcrypto's `PKCS8_PRIV_KEY_INFO`.
unsafe fn encode(functions: &Functions, decrypted: Decrypted) -> Option<Zeroizing<Vec<u8>>> {
    // SAFETY: guaranteed by the caller; without a buffer the function returns only the length.
    let len = unsafe { (functions.write)(decrypted, ptr::null_mut()) };
    let mut content = Zeroizing::new(vec![0; usize::try_from(len).ok().filter(|len| *len > 0)?]);
    let mut room = content.as_mut_ptr();
    // SAFETY: as above, and the buffer has the returned length.
    let written = unsafe { (functions.write)(decrypted, &mut room) };
    (written == len).then_some(content)
}
