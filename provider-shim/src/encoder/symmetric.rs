//! Formats of symmetric keys: the key file, and text. The other formats only return an error.

use super::{Format, text};
use crate::error::{Error, Result};
use crate::key::{SymmetricObject, no_public_half};
use crate::selection::Selection;

/// The key file, in place of a private key.
pub(super) struct SymmetricKeyFile;

impl Format for SymmetricKeyFile {
    type Key = SymmetricObject;

    const PRIVATE: bool = true;

    fn takes(selection: Selection) -> bool {
        selection.private()
    }

    fn write(object: &SymmetricObject, _selection: Selection) -> Result<Vec<u8>> {
        Ok(object.key().key_file().to_pem().into_bytes())
    }
}

/// PKCS#8, for programs that need the key itself.
pub(super) struct NoBytes;

impl Format for NoBytes {
    type Key = SymmetricObject;

    fn takes(selection: Selection) -> bool {
        selection.private()
    }

    fn write(object: &SymmetricObject, _selection: Selection) -> Result<Vec<u8>> {
        Err(Error::unsupported(format!(
            "{} never leaves the HSM, so it cannot be written as PKCS#8; use the key file instead",
            object.key().reference()
        )))
    }
}

/// Public key formats.
pub(super) struct NoPublicHalf;

impl Format for NoPublicHalf {
    type Key = SymmetricObject;

    fn takes(selection: Selection) -> bool {
        selection.public() && !selection.private()
    }

    fn write(object: &SymmetricObject, _selection: Selection) -> Result<Vec<u8>> {
        Err(no_public_half(object.key().reference()))
    }
}

/// The output of `openssl pkey -text`.
pub(super) struct SymmetricText;

impl Format for SymmetricText {
    type Key = SymmetricObject;

    fn takes(_selection: Selection) -> bool {
        true
    }

    fn write(object: &SymmetricObject, _selection: Selection) -> Result<Vec<u8>> {
        let key = object.key();
        Ok(text::symmetric(key.reference(), key.version()).into_bytes())
    }
}
