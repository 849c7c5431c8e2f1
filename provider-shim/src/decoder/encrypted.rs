//! Key files in encrypted PKCS#8.
//!
//! There is no secret in a key file, but some programs and policies want every private key file
//! encrypted. libcrypto decrypts it.

use crate::error::Result;
use akv_core::KeyFile;
use der::asn1::OctetStringRef;
use der::{Decode, Sequence};
use ossl_abi::Host;
use ossl_abi::entry::CorePassphrase;
use spki::AlgorithmIdentifierRef;
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

/// Asks for the passphrase. libcrypto remembers the answer for all decoders of a file.
fn ask(passphrase: CorePassphrase<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let mut room = Zeroizing::new(vec![0_u8; MAX_PASSPHRASE]);
    let len = passphrase.ask(&mut room)?;
    room.truncate(len);
    Some(room)
}

/// The key file in encrypted PKCS#8. `None` when there is another key in it, when it cannot be
/// decrypted, and when it is something else.
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
    // Why there is no passphrase, or why it is wrong, libcrypto's own decoder says.
    let content = host
        .quietly(|| ask(passphrase))
        .and_then(|passphrase| host.decrypt_pkcs8(der, &passphrase));
    Ok(content.map(|content| KeyFile::from_pkcs8_der(&content)).transpose()?.flatten())
}
