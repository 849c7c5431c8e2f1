//! Key files in encrypted PKCS#8.
//!
//! There is no secret in a key file, but some programs and policies want every private key file
//! encrypted. libcrypto decrypts it.

use crate::error::Result;
use akv_core::KeyFile;
use der::asn1::OctetStringRef;
use der::{Decode, Sequence};
use ossl_abi::Host;
use ossl_abi::types::PassphraseCallback;
use spki::AlgorithmIdentifierRef;
use std::ffi::{c_char, c_void};
use std::ptr;
use zeroize::Zeroizing;

/// Longest passphrase, as libcrypto's own programs have it (`PEM_BUFSIZE`).
const MAX_PASSPHRASE: usize = 1024;

/// `EncryptedPrivateKeyInfo` (RFC 5958 section 3). libcrypto reads it; here it tells the structure from
/// others.
#[derive(Sequence)]
struct Encrypted<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    data: &'a OctetStringRef,
}

/// The host's way of asking for a passphrase, for the length of a call.
pub(super) struct Passphrase {
    callback: Option<PassphraseCallback>,
    arg: *mut c_void,
}

impl Passphrase {
    /// # Safety
    /// Both are what the core passed to the call that is going on, which this does not outlive.
    pub(super) unsafe fn new(callback: Option<PassphraseCallback>, arg: *mut c_void) -> Self {
        Self { callback, arg }
    }

    /// Asks for it. libcrypto remembers the answer for all decoders of a file.
    fn ask(&self) -> Option<Zeroizing<Vec<u8>>> {
        let callback = self.callback?;
        let mut room = Zeroizing::new(vec![0_u8; MAX_PASSPHRASE]);
        let mut len = 0;
        let data = room.as_mut_ptr().cast::<c_char>();
        // SAFETY: vouched for by the caller of `new`; there is as much room as it says.
        let given = unsafe { callback(data, room.len(), &mut len, ptr::null(), self.arg) };
        room.truncate(len);
        (given == 1 && len <= MAX_PASSPHRASE).then_some(room)
    }
}

/// The key file in encrypted PKCS#8. `None` when there is another key in it, when it cannot be
/// decrypted, and when it is something else.
///
/// # Errors
/// The key file is malformed.
pub(super) fn key_file(
    host: &Host,
    der: &[u8],
    passphrase: &Passphrase,
) -> Result<Option<KeyFile>> {
    if Encrypted::from_der(der).is_err() {
        return Ok(None);
    }
    // Why there is no passphrase, or why it is wrong, libcrypto's own decoder says.
    let content = host
        .quietly(|| passphrase.ask())
        .and_then(|passphrase| host.decrypt_pkcs8(der, &passphrase));
    Ok(content.map(|content| KeyFile::from_pkcs8_der(&content)).transpose()?.flatten())
}
