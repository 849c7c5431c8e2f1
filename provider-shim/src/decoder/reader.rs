//! The formats of key files, and how each is read.

use akv_core::KeyFile;
use ossl_abi::entry::CorePassphrase;
use ossl_abi::host::Bio;

use super::output::{Der, Keys, Output};
use super::pem::{self, Reach};
use super::{der_element, encrypted};
use crate::error::Result;
use crate::provider::Provider;
use crate::selection::Selection;

/// What the core wants to read.
pub(super) struct Request<'call> {
    pub(super) provider: &'call Provider,
    pub(super) selection: Selection,
    pub(super) passphrase: CorePassphrase<'call>,
}

/// An input format.
pub(super) trait Reader {
    /// What the core gets for a file.
    type Output: Output;

    /// Reads a key file. `None` if the input is something else.
    fn read(input: &mut Bio<'_>, request: &Request<'_>) -> Result<Option<KeyFile>>;
}

/// PEM to DER.
pub(super) struct PemReader;

impl Reader for PemReader {
    type Output = Der;

    fn read(input: &mut Bio<'_>, request: &Request<'_>) -> Result<Option<KeyFile>> {
        // A store expects every block to be reported, and passes an empty selection.
        let reach = if request.selection.private() { Reach::PrivateKey } else { Reach::Block };
        let open =
            |der: &[u8]| encrypted::key_file(request.provider.host(), der, request.passphrase);
        pem::next_key_file(input, reach, open)
    }
}

/// Encrypted PKCS#8 to DER.
pub(super) struct EncryptedReader;

impl Reader for EncryptedReader {
    type Output = Der;

    fn read(input: &mut Bio<'_>, request: &Request<'_>) -> Result<Option<KeyFile>> {
        let Some(der) = der_element::read_sequence(input) else {
            return Ok(None);
        };
        encrypted::key_file(request.provider.host(), &der, request.passphrase)
    }
}

/// PKCS#8 to DER. Where libcrypto's own decoders of PEM or encrypted PKCS#8 come first, they look for
/// a decoder that is named by the object identifier inside. A name stands for one type, but that of
/// key files is in keys of all types: so it names the step before, as DER does.
pub(super) struct EnvelopeReader;

impl Reader for EnvelopeReader {
    type Output = Der;

    fn read(input: &mut Bio<'_>, _request: &Request<'_>) -> Result<Option<KeyFile>> {
        pkcs8_key_file(input)
    }
}

/// A key file in DER.
pub(super) struct DerReader<K>(K);

impl<K: Keys> Reader for DerReader<K> {
    type Output = K;

    fn read(input: &mut Bio<'_>, _request: &Request<'_>) -> Result<Option<KeyFile>> {
        match der_element::read_sequence(input) {
            Some(der) if der_element::looks_like_key_file(&der) => {
                Ok(Some(KeyFile::from_der(&der)?))
            }
            _ => Ok(None),
        }
    }
}

/// A key file in a PKCS#8 envelope. All other private keys in PKCS#8 are offered to it too.
pub(super) struct Pkcs8Reader<K>(K);

impl<K: Keys> Reader for Pkcs8Reader<K> {
    type Output = K;

    fn read(input: &mut Bio<'_>, _request: &Request<'_>) -> Result<Option<KeyFile>> {
        pkcs8_key_file(input)
    }
}

fn pkcs8_key_file(input: &mut Bio<'_>) -> Result<Option<KeyFile>> {
    let der = der_element::read_sequence(input);
    Ok(der.map(|der| KeyFile::from_pkcs8_der(&der)).transpose()?.flatten())
}
