//! Common parts of RSA signatures and RSA encryption: padding modes and the public operation.

use std::ffi::CStr;

use akv_core::RsaPublicKey;
use ossl_abi::names;
use ossl_abi::params::{Answers, Value};
use ossl_abi::types::DataType;
use rsa::BoxedUint;

use crate::error::{Error, Result};

/// libcrypto's padding modes (`RSA_…_PADDING`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Padding {
    Pkcs1,
    None,
    Oaep,
    X931,
    Pss,
    /// PKCS#1 v1.5 of a TLS premaster secret.
    Tls,
}

impl Padding {
    const ALL: [(Self, i32, &CStr); 6] = [
        (Self::Pkcs1, 1, c"pkcs1"),
        (Self::None, 3, c"none"),
        (Self::Oaep, 4, c"oaep"),
        (Self::X931, 5, c"x931"),
        (Self::Pss, 6, c"pss"),
        (Self::Tls, 7, c"tls"),
    ];

    /// Parses a mode, which is a number or text.
    pub(crate) fn from_value(value: Value<'_>) -> Result<Self> {
        if value.data_type() == Some(DataType::Utf8String) {
            let text = value.utf8()?;
            // An old misspelling that libcrypto still accepts.
            let text = if text == "oeap" { "oaep" } else { text };
            let found = Self::ALL.iter().find(|(_, _, name)| name.to_bytes() == text.as_bytes());
            return found
                .map(|(padding, _, _)| *padding)
                .ok_or_else(|| Error::argument(format!("'{text}' is not an RSA padding mode")));
        }
        let number: i32 = value.integer()?;
        let found = Self::ALL.iter().find(|(_, known, _)| *known == number);
        found
            .map(|(padding, _, _)| *padding)
            .ok_or_else(|| Error::argument(format!("{number} is not an RSA padding mode")))
    }

    fn entry(self) -> (i32, &'static CStr) {
        let found = Self::ALL.iter().find(|(padding, _, _)| *padding == self);
        let (_, number, name) = found.expect("every mode has its line");
        (*number, name)
    }

    pub(crate) fn number(self) -> i32 {
        self.entry().0
    }

    pub(crate) fn name(self) -> &'static str {
        self.entry().1.to_str().expect("names are ASCII")
    }

    /// Returns the mode as a number or text, depending on the requested type.
    pub(crate) fn answer(self, answers: &mut Answers<'_>) -> Result<()> {
        let (number, name) = self.entry();
        match answers.wanted(names::PAD_MODE) {
            Some(DataType::Utf8String) => answers.utf8_static(names::PAD_MODE, name)?,
            _ => answers.integer(names::PAD_MODE, number)?,
        }
        Ok(())
    }
}

/// The key in RustCrypto's form, for what AWS-LC's Rust interface lacks.
pub(crate) fn rustcrypto(key: &RsaPublicKey) -> Result<rsa::PublicKey> {
    let n = BoxedUint::from_be_slice_vartime(key.modulus());
    let e = BoxedUint::from_be_slice_vartime(key.exponent());
    // The maximum is also libcrypto's.
    rsa::PublicKey::new_with_size_limits(n, e, 512..=16_384)
        .map_err(|error| Error::unsupported(format!("this RSA public key: {error}")))
}

/// The public operation: raises `number`, which is as long as the modulus, to the power of the
/// exponent.
pub(crate) fn apply(key: &RsaPublicKey, number: &[u8]) -> Result<Vec<u8>> {
    if number.len() != key.size() {
        return Err(Error::Silent);
    }
    let number = BoxedUint::from_be_slice_vartime(number);
    let result = rsa::hazmat::rsa_encrypt(&rustcrypto(key)?, &number).map_err(|_| Error::Silent)?;
    let bytes = result.to_be_bytes_trimmed_vartime();
    let size = key.size();
    let mut padded = vec![0; size.saturating_sub(bytes.len())];
    padded.extend_from_slice(&bytes);
    Ok(padded)
}
