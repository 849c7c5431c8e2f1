//! Decoders of key files: PEM to DER, and DER to a key.
//!
//! libcrypto calls every decoder for any file that it reads. For a file that is not ours, they
//! return success without an object and push no error.
//!
//! A file that is not complete is resolved by a request. It is waited for on the caller's stack, so
//! that it pauses an ASYNC job.

mod der_element;
mod encrypted;
mod output;
mod pem;
mod reader;

use std::ffi::{CStr, c_int, c_void};
use std::sync::Arc;

use legacy_abi::job;
use ossl_abi::entry;
use ossl_abi::functions::decoder as id;
use ossl_abi::guard::deep;
use ossl_abi::types::{Algorithm, Callback, Dispatch};

use self::output::{EcKeys, Output, RsaKeys, SymmetricKeys};
use self::reader::{
    DerReader, EncryptedReader, EnvelopeReader, PemReader, Pkcs8Reader, Reader, Request,
};
use crate::error::{Error, Result};
use crate::provider::Provider;
use crate::selection::Selection;

/// DER, with `KeyFile::PKCS8_OID` as another name.
const DER_OR_KEY_FILE: &CStr = c"DER:2.25.236226637566350985415300616977559960549";

macro_rules! decoder {
    ($type:expr, $properties:literal, $reader:ty) => {
        Algorithm::new(
            $type,
            $properties,
            &table::<$reader>(),
            c"Key files of keys in Azure Key Vault and Managed HSM",
        )
    };
}

pub(crate) static ALGORITHMS: &[Algorithm] = &[
    decoder!(c"DER", c"provider=akv_provider,input=pem", PemReader),
    // Without a structure: libcrypto skips the first decoder whose structure differs from the
    // requested one. That must be libcrypto's own decoder, which would otherwise fail on our
    // PKCS#8.
    decoder!(c"DER", c"provider=akv_provider,input=der", EncryptedReader),
    decoder!(
        DER_OR_KEY_FILE,
        c"provider=akv_provider,input=der,structure=PrivateKeyInfo",
        EnvelopeReader
    ),
    decoder!(c"RSA", c"provider=akv_provider,input=der,structure=akv", DerReader<RsaKeys>),
    decoder!(c"EC", c"provider=akv_provider,input=der,structure=akv", DerReader<EcKeys>),
    decoder!(
        c"AKV-AES",
        c"provider=akv_provider,input=der,structure=akv",
        DerReader<SymmetricKeys>
    ),
    decoder!(
        c"AKV-AES",
        c"provider=akv_provider,input=der,structure=PrivateKeyInfo",
        Pkcs8Reader<SymmetricKeys>
    ),
    decoder!(
        c"RSA",
        c"provider=akv_provider,input=der,structure=PrivateKeyInfo",
        Pkcs8Reader<RsaKeys>
    ),
    decoder!(
        c"EC",
        c"provider=akv_provider,input=der,structure=PrivateKeyInfo",
        Pkcs8Reader<EcKeys>
    ),
    Algorithm::END,
];

const fn table<R: Reader>() -> [Dispatch; 6] {
    [
        id::NEWCTX.entry(newctx),
        id::FREECTX.entry(freectx),
        id::DOES_SELECTION.entry(does_selection),
        id::DECODE.entry(decode::<R>),
        id::EXPORT_OBJECT.entry(export_object),
        Dispatch::END,
    ]
}

entry! {
    /// A decoder is stateless: its context is a reference to the provider.
    fn newctx("decoder newctx", provider: &Arc<Provider>) -> Result<Arc<Provider>> {
        Ok(Arc::clone(provider))
    }
}

entry! {
    fn freectx(provider: Arc<Provider>);
}

/// A key file stands for a private key. An empty selection means any type of object.
extern "C" fn does_selection(_provctx: *mut c_void, selection: c_int) -> c_int {
    let selection = Selection::from(selection);
    (selection.is_empty() || selection.private()).into()
}

entry! {
    fn decode<R: Reader>(
        "decoder decode",
        provider: &Arc<Provider>,
        input: Bio("input"),
        selection: Selection as c_int,
        callback: Callback("callback"),
        passphrase: Passphrase,
    ) -> Result<bool>, waits {
        let start = || -> Result<_> {
            let request = Request { provider, selection, passphrase };
            let Some(file) = R::read(input, &request)? else { return Ok(None) };
            Ok(R::Output::start(provider, &file)?.map(|loading| (file, loading)))
        };
        let Some((file, loading)) = deep(start)? else { return Ok(true) };
        let key = job::wait::<_, Error>(loading)?;
        deep(|| R::Output::give(provider, &file, key, callback))
    }
}

/// Called if another provider should hold the key, which is impossible. libcrypto calls this
/// function without checking that it exists.
extern "C" fn export_object(
    _ctx: *mut c_void,
    _reference: *const c_void,
    _size: usize,
    _callback: Option<Callback>,
    _arg: *mut c_void,
) -> c_int {
    0
}

#[cfg(test)]
mod tests {
    use akv_core::KeyFile;

    use super::*;

    #[test]
    fn a_decoder_has_the_object_identifier_of_key_files() {
        let expected = format!("DER:{}", KeyFile::PKCS8_OID);
        assert_eq!(DER_OR_KEY_FILE.to_str(), Ok(expected.as_str()));
    }
}
