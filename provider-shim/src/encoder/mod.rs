//! Encoders: the key file in place of a private key, and the usual formats of public keys.

mod symmetric;
mod text;

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use akv_core::PublicKey;
use der::pem::{self, LineEnding};
use ossl_abi::functions::encoder as id;
use ossl_abi::guard::Object;
use ossl_abi::types::{Algorithm, DataType, Dispatch, Param};
use ossl_abi::{Host, entry, names};

use self::symmetric::{NoBytes, NoPublicHalf, SymmetricKeyFile, SymmetricText};
use crate::error::{Error, Result};
use crate::foreign;
use crate::key::KeyObject;
use crate::provider::Provider;
use crate::selection::Selection;

macro_rules! encoder {
    ($type:literal, $properties:literal, $format:ty) => {
        Algorithm::new(
            $type,
            $properties,
            &table::<$format>(),
            c"Keys in Azure Key Vault and Managed HSM",
        )
    };
}

pub(crate) static ALGORITHMS: &[Algorithm] = &[
    // If no structure is requested, the last match is used, so these precede the encoders that only
    // return an error.
    encoder!(c"EC", c"provider=akv_provider,output=der,structure=type-specific", Declined),
    encoder!(c"RSA", c"provider=akv_provider,output=der,structure=type-specific", RsaDer),
    encoder!(c"RSA", c"provider=akv_provider,output=pem,structure=PrivateKeyInfo", KeyFilePem),
    encoder!(c"EC", c"provider=akv_provider,output=pem,structure=PrivateKeyInfo", KeyFilePem),
    encoder!(c"RSA", c"provider=akv_provider,output=der,structure=PrivateKeyInfo", Refusal),
    encoder!(c"EC", c"provider=akv_provider,output=der,structure=PrivateKeyInfo", Refusal),
    // Requested by `openssl ec`. The request of `openssl rsa -traditional` for RSA keys is refused.
    encoder!(c"EC", c"provider=akv_provider,output=pem,structure=type-specific", KeyFilePem),
    encoder!(c"RSA", c"provider=akv_provider,output=der,structure=SubjectPublicKeyInfo", SpkiDer),
    encoder!(c"RSA", c"provider=akv_provider,output=pem,structure=SubjectPublicKeyInfo", SpkiPem),
    encoder!(c"EC", c"provider=akv_provider,output=der,structure=SubjectPublicKeyInfo", SpkiDer),
    encoder!(c"EC", c"provider=akv_provider,output=pem,structure=SubjectPublicKeyInfo", SpkiPem),
    encoder!(c"RSA", c"provider=akv_provider,output=der,structure=pkcs1", Pkcs1Der),
    encoder!(c"RSA", c"provider=akv_provider,output=pem,structure=pkcs1", Pkcs1Pem),
    encoder!(c"RSA", c"provider=akv_provider,output=der,structure=rsa", Pkcs1Der),
    encoder!(c"RSA", c"provider=akv_provider,output=pem,structure=rsa", Pkcs1Pem),
    encoder!(c"RSA", c"provider=akv_provider,output=pem,structure=type-specific", Pkcs1Pem),
    encoder!(c"EC", c"provider=akv_provider,output=blob", PointBlob),
    encoder!(c"RSA", c"provider=akv_provider,output=text", Text),
    encoder!(c"EC", c"provider=akv_provider,output=text", Text),
    encoder!(
        c"AKV-AES",
        c"provider=akv_provider,output=pem,structure=PrivateKeyInfo",
        SymmetricKeyFile
    ),
    encoder!(c"AKV-AES", c"provider=akv_provider,output=der,structure=PrivateKeyInfo", NoBytes),
    encoder!(
        c"AKV-AES",
        c"provider=akv_provider,output=pem,structure=SubjectPublicKeyInfo",
        NoPublicHalf
    ),
    encoder!(
        c"AKV-AES",
        c"provider=akv_provider,output=der,structure=SubjectPublicKeyInfo",
        NoPublicHalf
    ),
    encoder!(c"AKV-AES", c"provider=akv_provider,output=text", SymmetricText),
    Algorithm::END,
];

/// An output format.
trait Format {
    /// The type of key object.
    type Key;

    /// Whether the format is for private keys, which may be encrypted.
    const PRIVATE: bool = false;

    /// Whether the format supports these parts of a key.
    fn takes(selection: Selection) -> bool;
    fn write(key: &Self::Key, selection: Selection) -> Result<Vec<u8>>;
}

/// Formats of public keys.
trait PublicFormat {
    fn write(key: &PublicKey) -> Result<Vec<u8>>;
}

impl<F: PublicFormat> Format for F {
    type Key = KeyObject;

    fn takes(selection: Selection) -> bool {
        selection.is_empty() || (selection.public() && !selection.private())
    }

    fn write(key: &KeyObject, _selection: Selection) -> Result<Vec<u8>> {
        F::write(key.require_public()?)
    }
}

fn pem_of(label: &'static str, der: &[u8]) -> Result<Vec<u8>> {
    pem::encode_string(label, LineEnding::LF, der)
        .map(String::into_bytes)
        .map_err(|error| Error::internal(format!("cannot write PEM: {error}")))
}

struct SpkiDer;

impl PublicFormat for SpkiDer {
    fn write(key: &PublicKey) -> Result<Vec<u8>> {
        Ok(key.to_spki_der())
    }
}

struct SpkiPem;

impl PublicFormat for SpkiPem {
    fn write(key: &PublicKey) -> Result<Vec<u8>> {
        pem_of("PUBLIC KEY", &key.to_spki_der())
    }
}

struct Pkcs1Der;

impl PublicFormat for Pkcs1Der {
    fn write(key: &PublicKey) -> Result<Vec<u8>> {
        let key = key.as_rsa().ok_or_else(|| Error::unsupported("PKCS#1 is for RSA keys"))?;
        Ok(key.to_pkcs1_der())
    }
}

struct Pkcs1Pem;

impl PublicFormat for Pkcs1Pem {
    fn write(key: &PublicKey) -> Result<Vec<u8>> {
        pem_of("RSA PUBLIC KEY", &<Pkcs1Der as PublicFormat>::write(key)?)
    }
}

/// The bare point, as written by `i2d_PublicKey` for EC keys.
struct PointBlob;

impl PublicFormat for PointBlob {
    fn write(key: &PublicKey) -> Result<Vec<u8>> {
        let key = key.as_ec().ok_or_else(|| Error::unsupported("only EC keys have a point"))?;
        Ok(key.point().to_vec())
    }
}

/// The error for a key object without a vault key.
fn absent(key: &KeyObject) -> Error {
    if key.foreign().is_none_or(|key| !key.has_private() || key.imported()) {
        return Error::Silent;
    }
    Error::unsupported(format!(
        "this key was generated in memory, without akv-name, and akv_provider does not write \
         private keys: {}",
        foreign::ADVICE
    ))
}

/// The key file, in place of a private key.
struct KeyFilePem;

impl Format for KeyFilePem {
    type Key = KeyObject;

    const PRIVATE: bool = true;

    fn takes(selection: Selection) -> bool {
        selection.private()
    }

    fn write(key: &KeyObject, _selection: Selection) -> Result<Vec<u8>> {
        // libcrypto also tries this format with public keys, for which it is not suitable.
        let key = key.vault_key().ok_or_else(|| absent(key))?;
        Ok(key.key_file().to_pem().into_bytes())
    }
}

/// PKCS#8, for programs that need the private half itself: `pkcs12 -export`, `pkcs8 -topk8`.
/// Without this encoder libcrypto would fail without a reason.
struct Refusal;

impl Format for Refusal {
    type Key = KeyObject;

    fn takes(selection: Selection) -> bool {
        selection.private()
    }

    fn write(key: &KeyObject, _selection: Selection) -> Result<Vec<u8>> {
        let key = key.vault_key().ok_or_else(|| absent(key))?;
        Err(Error::unsupported(format!(
            "the private half of {} never leaves the vault, so it cannot be written as PKCS#8 or \
             PKCS#12; use the key file instead",
            key.reference()
        )))
    }
}

/// Private key formats other than PKCS#8, which programs try first. Without this encoder libcrypto
/// would query other providers.
struct Declined;

impl Format for Declined {
    type Key = KeyObject;

    fn takes(selection: Selection) -> bool {
        selection.private()
    }

    fn write(_key: &KeyObject, _selection: Selection) -> Result<Vec<u8>> {
        Err(Error::Silent)
    }
}

/// Requested first by `i2d_PrivateKey` and `i2d_PublicKey`.
struct RsaDer;

impl Format for RsaDer {
    type Key = KeyObject;

    fn takes(selection: Selection) -> bool {
        selection.is_empty() || selection.key_pair()
    }

    fn write(key: &KeyObject, selection: Selection) -> Result<Vec<u8>> {
        if selection.private() {
            return Declined::write(key, selection);
        }
        <Pkcs1Der as PublicFormat>::write(key.require_public()?)
    }
}

/// Encryption is refused: the output would look like an encrypted secret, but a key file contains
/// none.
fn not_encrypted(cipher: &str) -> Error {
    Error::unsupported(format!(
        "a key file is not encrypted, with {cipher} or otherwise: it names the key in the vault and \
         holds no secret; leave the cipher out"
    ))
}

struct Text;

impl Format for Text {
    type Key = KeyObject;

    fn takes(_selection: Selection) -> bool {
        true
    }

    fn write(key: &KeyObject, selection: Selection) -> Result<Vec<u8>> {
        text::describe(key, selection).map(String::into_bytes)
    }
}

const fn table<F: Format>() -> [Dispatch; 7] {
    [
        id::NEWCTX.entry(newctx),
        id::FREECTX.entry(freectx),
        id::DOES_SELECTION.entry(does_selection::<F>),
        id::SETTABLE_CTX_PARAMS.entry(settable_ctx_params),
        id::SET_CTX_PARAMS.entry(set_ctx_params),
        id::ENCODE.entry(encode::<F>),
        Dispatch::END,
    ]
}

/// The state of an encoder.
struct Context {
    provider: Arc<Provider>,
    /// The cipher to encrypt the output with.
    cipher: Option<String>,
}

impl Object for Context {
    fn host(&self) -> &Host {
        self.provider.host()
    }
}

entry! {
    fn newctx("encoder newctx", provider: &Arc<Provider>) -> Result<Box<Context>> {
        Ok(Box::new(Context { provider: Arc::clone(provider), cipher: None }))
    }
}

entry! {
    fn freectx(ctx: Box<Context>);
}

extern "C" fn does_selection<F: Format>(_provctx: *mut c_void, selection: c_int) -> c_int {
    F::takes(Selection::from(selection)).into()
}

extern "C" fn settable_ctx_params(_provctx: *mut c_void) -> *const Param {
    static PARAMS: &[Param] =
        &[Param::describe(names::ENCODER_CIPHER, DataType::Utf8String), Param::END];
    PARAMS.as_ptr()
}

entry! {
    fn set_ctx_params(
        "encoder set_ctx_params",
        ctx: &mut Context,
        params: Params,
    ) -> Result<()> {
        if let Some(cipher) = params.get(names::ENCODER_CIPHER) {
            let cipher = cipher.utf8()?;
            ctx.cipher = (!cipher.is_empty()).then(|| cipher.to_owned());
        }
        Ok(())
    }
}

entry! {
    /// The object is one of our keys of this type, since the encoder does not import objects.
    fn encode<F: Format>(
        "encoder encode",
        ctx: &mut Context,
        output: Bio("output"),
        key: Option<&F::Key>,
        _abstract_object: *const Param,
        selection: Selection as c_int,
        _passphrase: Passphrase,
    ) -> Result<()> {
        let data = F::write(key.ok_or(Error::Silent)?, selection)?;
        if let Some(cipher) = ctx.cipher.as_deref().filter(|_| F::PRIVATE) {
            return Err(not_encrypted(cipher));
        }
        Ok(output.write_all(&data)?)
    }
}
