//! Key files in encrypted PKCS#8.
//!
//! A key file contains no secret, but some programs and policies require every private key file to
//! be encrypted. libcrypto decrypts it.

use akv_core::KeyFile;
use der::asn1::OctetStringRef;
use der::{Decode, Sequence};
use ossl_abi::Host;
use ossl_abi::entry::CorePassphrase;
use spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use crate::error::Result;

/// Maximum passphrase length, as in libcrypto's own programs (`PEM_BUFSIZE`).
const MAX_PASSPHRASE: usize = 1024;

/// `EncryptedPrivateKeyInfo` (RFC 5958 section 3). It is parsed here only to recognize the
/// structure; libcrypto decrypts it.
#[derive(Sequence)]
struct Encrypted<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    data: &'a OctetStringRef,
}

/// Requests the passphrase. libcrypto caches it for all decoders of a file.
fn ask(passphrase: CorePassphrase<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let mut room = Zeroizing::new(vec![0_u8; MAX_PASSPHRASE]);
    let len = passphrase.ask(&mut room)?;
    room.truncate(len);
    Some(room)
}

/// Decrypts a key file in encrypted PKCS#8. Returns `None` if it contains another key, cannot be
/// decrypted, or is something else.
///
/// # Errors
/// The key file is malformed.
pub(super) fn key_file(
    host: &Host,
    der: &[u8],
    passphrase: CorePassphrase<'_>,
) -> Result<Option<KeyFile>> {
    if Encrypted::from_der(der).is_err() {
        return Ok(None);
    }
    // libcrypto's own decoder reports a missing or wrong passphrase.
    let content = host
        .quietly(|| ask(passphrase))
        .and_then(|passphrase| host.decrypt_pkcs8(der, &passphrase));
    Ok(content.map(|content| KeyFile::from_pkcs8_der(&content)).transpose()?.flatten())
}
