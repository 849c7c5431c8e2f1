//! Decoders of key files: PEM to DER, and DER to a key.
//!
//! libcrypto calls every decoder for any file that it reads. For a file that is not ours, they
//! return success without an object and push no error.

mod der_element;
mod encrypted;
mod pem;

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use akv_core::KeyFile;
use akv_core::blocking::AnyKey;
use ossl_abi::constants::OBJECT_PKEY;
use ossl_abi::entry;
use ossl_abi::entry::{CoreCallback, CorePassphrase};
use ossl_abi::functions::decoder as id;
use ossl_abi::host::Bio;
use ossl_abi::types::{Algorithm, Callback, Dispatch};

use self::pem::Reach;
use crate::error::Result;
use crate::handover::{self, Referred, WithData};
use crate::key::{KeyObject, SymmetricObject};
use crate::key_type::KeyType;
use crate::provider::Provider;
use crate::selection::Selection;

macro_rules! decoder {
    ($type:literal, $properties:literal, $reader:ty) => {
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

/// The arguments of a call to a decoder.
struct Request<'call> {
    selection: Selection,
    passphrase: CorePassphrase<'call>,
    callback: CoreCallback<'call>,
}

/// An input format.
trait Reader {
    /// Reads the input and passes a result of ours to the callback. `Ok(true)` also means
    /// "continue".
    fn read(provider: &Arc<Provider>, input: &mut Bio<'_>, request: &Request<'_>) -> Result<bool>;
}

/// PEM to DER.
struct PemReader;

impl Reader for PemReader {
    fn read(provider: &Arc<Provider>, input: &mut Bio<'_>, request: &Request<'_>) -> Result<bool> {
        // A store expects every block to be reported, and passes an empty selection.
        let reach = if request.selection.private() { Reach::PrivateKey } else { Reach::Block };
        let open = |der: &[u8]| encrypted::key_file(provider.host(), der, request.passphrase);
        match pem::next_key_file(input, reach, open)? {
            Some(file) => give_file(provider, &file, request),
            None => Ok(true),
        }
    }
}

/// Encrypted PKCS#8 to DER. libcrypto's own decoder decrypts it too, and then looks for a decoder
/// named by the object identifier inside. Ours cannot have that name: a name stands for one key
/// type, but the object identifier of key files stands for all.
struct EncryptedReader;

impl Reader for EncryptedReader {
    fn read(provider: &Arc<Provider>, input: &mut Bio<'_>, request: &Request<'_>) -> Result<bool> {
        let Some(der) = der_element::read_sequence(input) else {
            return Ok(true);
        };
        match encrypted::key_file(provider.host(), &der, request.passphrase)? {
            Some(file) => give_file(provider, &file, request),
            None => Ok(true),
        }
    }
}

/// Passes on a key file as DER. A file without version or public key is resolved here, because
/// libcrypto's store drops errors of later decoders.
fn give_file(provider: &Arc<Provider>, file: &KeyFile, request: &Request<'_>) -> Result<bool> {
    let key = provider.client()?.any_key_from_file(file)?;
    let description = handover::private_key(&key)?;
    // If the file had to be resolved, the key is kept, so that it need not be requested again.
    let _key = file.public_key().is_none().then(|| WithData::of(provider, key));
    Ok(request.callback.call(description.params()))
}

trait Keys {
    /// The type of the public half; `None` for symmetric keys.
    const TYPE: Option<KeyType>;
}

struct RsaKeys;

impl Keys for RsaKeys {
    const TYPE: Option<KeyType> = Some(KeyType::Rsa);
}

struct EcKeys;

impl Keys for EcKeys {
    const TYPE: Option<KeyType> = Some(KeyType::Ec);
}

struct SymmetricKeys;

impl Keys for SymmetricKeys {
    const TYPE: Option<KeyType> = None;
}

/// Creates the key of a file and passes it on, unless it has another type.
fn give_key<K: Keys>(
    provider: &Arc<Provider>,
    file: &KeyFile,
    request: &Request<'_>,
) -> Result<bool> {
    if file.public_key().is_some_and(|key| KeyType::of(key).ok() != K::TYPE) {
        return Ok(true);
    }
    let key = match handover::loaded(provider, file) {
        Some(key) => key,
        None => provider.client()?.any_key_from_file(file)?,
    };
    let provider = Arc::clone(provider);
    let object = match (key, K::TYPE) {
        (AnyKey::Asymmetric(key), Some(kind)) if KeyType::of(key.public_key())? == kind => {
            Referred::Pair(Arc::new(KeyObject::vault(provider, kind, key)))
        }
        (AnyKey::Symmetric(key), None) => {
            Referred::Symmetric(Arc::new(SymmetricObject::new(provider, key)))
        }
        _ => return Ok(true),
    };
    Ok(handover::by_reference(object, OBJECT_PKEY, request.callback))
}

/// A key file in DER.
struct DerReader<K>(K);

impl<K: Keys> Reader for DerReader<K> {
    fn read(provider: &Arc<Provider>, input: &mut Bio<'_>, request: &Request<'_>) -> Result<bool> {
        match der_element::read_sequence(input) {
            Some(der) if der_element::looks_like_key_file(&der) => {
                give_key::<K>(provider, &KeyFile::from_der(&der)?, request)
            }
            _ => Ok(true),
        }
    }
}

/// A key file in a PKCS#8 envelope. All other private keys in PKCS#8 are offered to it too.
struct Pkcs8Reader<K>(K);

impl<K: Keys> Reader for Pkcs8Reader<K> {
    fn read(provider: &Arc<Provider>, input: &mut Bio<'_>, request: &Request<'_>) -> Result<bool> {
        let der = der_element::read_sequence(input);
        match der.map(|der| KeyFile::from_pkcs8_der(&der)).transpose()?.flatten() {
            Some(file) => give_key::<K>(provider, &file, request),
            None => Ok(true),
        }
    }
}

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
    ) -> Result<bool> {
        R::read(provider, input, &Request { selection, passphrase, callback })
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
