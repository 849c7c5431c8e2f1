//! RSA encryption: decrypting in the vault, encrypting here.

use crate::digest::Digest;
use crate::error::{Error, Reason, Result};
use crate::key::{KeyObject, KeyType};
use crate::provider::Provider;
use crate::rsa_public::{self, Padding};
use akv_core::{EncryptionAlgorithm, ErrorKind, PublicKey, RsaPublicKey};
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepPublicEncryptingKey, Pkcs1PublicEncryptingKey, PublicEncryptingKey,
};
use ossl_abi::functions::asym_cipher as id;
use ossl_abi::guard::{self, Object, Output};
use ossl_abi::params::{Answers, Params};
use ossl_abi::types::{Algorithm, DataType, Dispatch, Param};
use ossl_abi::{Host, names};
use std::ffi::{CStr, c_int, c_uchar, c_void};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The usual name, for the reason given in [`crate::signature`].
pub(crate) const RSA_NAME: &CStr = c"RSA";

pub(crate) static ALGORITHMS: &[Algorithm] = &[
    Algorithm::new(
        RSA_NAME,
        c"provider=akv_provider",
        TABLE,
        c"RSA encryption with keys in Azure Key Vault and Managed HSM",
    ),
    Algorithm::END,
];

static TABLE: &[Dispatch] = &[
    id::NEWCTX.entry(newctx),
    id::FREECTX.entry(freectx),
    id::DUPCTX.entry(dupctx),
    id::ENCRYPT_INIT.entry(encrypt_init),
    id::ENCRYPT.entry(encrypt),
    id::DECRYPT_INIT.entry(decrypt_init),
    id::DECRYPT.entry(decrypt),
    id::GET_CTX_PARAMS.entry(get_ctx_params),
    id::GETTABLE_CTX_PARAMS.entry(gettable_ctx_params),
    id::SET_CTX_PARAMS.entry(set_ctx_params),
    id::SETTABLE_CTX_PARAMS.entry(settable_ctx_params),
    Dispatch::END,
];

/// Length of a TLS premaster secret (RFC 5246 section 8.1).
const PREMASTER_LEN: usize = 48;

/// The state of one operation.
#[derive(Clone)]
struct Context {
    provider: Arc<Provider>,
    key: Option<Arc<KeyObject>>,
    padding: Padding,
    oaep_digest: Option<Digest>,
    mgf1_digest: Option<Digest>,
    label: Vec<u8>,
    tls_client_version: u32,
    tls_negotiated_version: u32,
}

impl Object for Context {
    fn host(&self) -> &Host {
        self.provider.host()
    }
}

impl Context {
    fn new(provider: Arc<Provider>) -> Self {
        Self {
            provider,
            key: None,
            padding: Padding::Pkcs1,
            oaep_digest: None,
            mgf1_digest: None,
            label: Vec::new(),
            tls_client_version: 0,
            tls_negotiated_version: 0,
        }
    }

    fn init(&mut self, key: Option<Arc<KeyObject>>, params: Params<'_>) -> Result<()> {
        if let Some(key) = key {
            if key.kind() != KeyType::Rsa {
                return Err(Error::argument("RSA encryption needs an RSA key"));
            }
            self.key = Some(key);
        }
        *self = Self { key: self.key.take(), ..Self::new(Arc::clone(&self.provider)) };
        self.public()?;
        self.set(params)
    }

    fn key(&self) -> Result<&KeyObject> {
        self.key.as_deref().ok_or_else(|| Error::argument("no key set"))
    }

    fn public(&self) -> Result<&RsaPublicKey> {
        match self.key()?.require_public()? {
            PublicKey::Rsa(key) => Ok(key),
            PublicKey::Ec(_) => Err(Error::internal("an EC key in an RSA operation")),
        }
    }

    fn set(&mut self, params: Params<'_>) -> Result<()> {
        if let Some(value) = params.get(names::PAD_MODE) {
            self.padding = match Padding::from_value(value)? {
                padding @ (Padding::Pkcs1 | Padding::Oaep | Padding::None | Padding::Tls) => {
                    padding
                }
                other => {
                    return Err(Error::argument(format!(
                        "RSA padding {} is not for encryption; use pkcs1 or oaep",
                        other.name()
                    )));
                }
            };
        }
        if let Some(value) = params.get(names::DIGEST) {
            self.oaep_digest = Some(Digest::from_name(value.utf8()?)?);
        }
        if let Some(value) = params.get(names::MGF1_DIGEST) {
            self.mgf1_digest = Some(Digest::from_name(value.utf8()?)?);
        }
        if let Some(value) = params.get(names::OAEP_LABEL) {
            self.label = value.octets()?.to_vec();
        }
        if let Some(value) = params.get(names::TLS_CLIENT_VERSION) {
            self.tls_client_version = value.integer()?;
        }
        if let Some(value) = params.get(names::TLS_NEGOTIATED_VERSION) {
            self.tls_negotiated_version = value.integer()?;
        }
        Ok(())
    }

    fn answer(&self, answers: &mut Answers<'_>) -> Result<()> {
        self.padding.answer(answers)?;
        let digest = self.oaep_digest.unwrap_or(Digest::Sha1);
        answers.utf8_static(names::DIGEST, digest.name())?;
        answers.utf8_static(names::MGF1_DIGEST, self.mgf1_digest.unwrap_or(digest).name())?;
        answers.integer(names::TLS_CLIENT_VERSION, self.tls_client_version)?;
        answers.integer(names::TLS_NEGOTIATED_VERSION, self.tls_negotiated_version)?;
        Ok(())
    }

    /// OAEP's digest, which MGF1 uses too.
    fn oaep(&self) -> Result<Digest> {
        let digest = self.oaep_digest.unwrap_or(Digest::Sha1);
        match self.mgf1_digest {
            Some(mgf1) if mgf1 != digest => Err(Error::unsupported(format!(
                "OAEP with {} and another digest ({}) for MGF1",
                digest.display(),
                mgf1.display()
            ))),
            _ => Ok(digest),
        }
    }

    fn encrypt(&self, plaintext: &[u8]) -> Result<Vec<u8>> {
        let public = self.public()?;
        if self.padding == Padding::None {
            return rsa_public::apply(public, plaintext).map_err(|_| {
                Error::argument("without padding the data must be a number below the modulus")
            });
        }
        let too_long = |_| {
            Error::argument(format!(
                "cannot encrypt {} bytes with RSA-{} and {} padding",
                plaintext.len(),
                public.bits(),
                self.padding.name()
            ))
        };
        let spki = PublicKey::Rsa(public.clone()).to_spki_der();
        let key = PublicEncryptingKey::from_der(&spki)
            .map_err(|_| Error::unsupported("encryption with an RSA key of this size"))?;
        let mut ciphertext = vec![0; public.size()];
        let written = if self.padding == Padding::Oaep {
            let algorithm = match self.oaep()? {
                Digest::Sha1 => &OAEP_SHA1_MGF1SHA1,
                Digest::Sha256 => &OAEP_SHA256_MGF1SHA256,
                Digest::Sha384 => &OAEP_SHA384_MGF1SHA384,
                Digest::Sha512 => &OAEP_SHA512_MGF1SHA512,
                other => {
                    return Err(Error::unsupported(format!("OAEP with {}", other.display())));
                }
            };
            let label = (!self.label.is_empty()).then_some(self.label.as_slice());
            OaepPublicEncryptingKey::new(key)
                .and_then(|key| {
                    Ok(key.encrypt(algorithm, plaintext, &mut ciphertext, label)?.len())
                })
                .map_err(too_long)?
        } else {
            Pkcs1PublicEncryptingKey::new(key)
                .and_then(|key| Ok(key.encrypt(plaintext, &mut ciphertext)?.len()))
                .map_err(too_long)?
        };
        ciphertext.truncate(written);
        Ok(ciphertext)
    }

    /// The service's algorithm.
    fn vault_algorithm(&self) -> Result<EncryptionAlgorithm> {
        match self.padding {
            Padding::Oaep if !self.label.is_empty() => {
                Err(Error::unsupported("the vault decrypts OAEP without a label only"))
            }
            Padding::Oaep => match self.oaep()? {
                Digest::Sha1 => Ok(EncryptionAlgorithm::RsaOaep),
                Digest::Sha256 => Ok(EncryptionAlgorithm::RsaOaep256),
                other => Err(Error::unsupported(format!(
                    "the vault decrypts OAEP with SHA-1 and SHA-256, not {}",
                    other.display()
                ))),
            },
            Padding::Pkcs1 | Padding::Tls => Ok(EncryptionAlgorithm::Rsa15),
            other => Err(Error::unsupported(format!(
                "the vault does not decrypt RSA with padding {}; use pkcs1 or oaep",
                other.name()
            ))),
        }
    }

    fn decrypt(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let size = self.public()?.size();
        let missing = size.checked_sub(ciphertext.len()).ok_or_else(|| {
            Error::argument(format!(
                "an RSA ciphertext of this key has {size} bytes, got {}",
                ciphertext.len()
            ))
        })?;
        // As a number a ciphertext may come without its leading zeros.
        let ciphertext = [&vec![0; missing], ciphertext].concat();
        let key = self.key()?.require_vault()?;
        let decrypted = key.decrypt(self.vault_algorithm()?, &ciphertext);
        if self.padding != Padding::Tls {
            return Ok(decrypted?);
        }
        let plaintext = match decrypted {
            Ok(plaintext) => plaintext,
            // The service's word for padding that is wrong. Every other failure has nothing to do
            // with the ciphertext, and telling it helps no attacker.
            Err(error) if error.kind() == ErrorKind::Service && error.status() == Some(400) => {
                Zeroizing::new(Vec::new())
            }
            Err(error) => return Err(error.into()),
        };
        self.premaster(&plaintext)
    }

    /// The premaster secret, or random bytes in its place when it is none: a peer must not learn
    /// which (RFC 5246 section 7.4.7.1).
    fn premaster(&self, plaintext: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let mut random = Zeroizing::new(vec![0; PREMASTER_LEN]);
        aws_lc_rs::rand::fill(&mut random)
            .map_err(|_| Error::Raised(Reason::Internal, "no random numbers".into()))?;
        let mut candidate = Zeroizing::new(vec![0; PREMASTER_LEN]);
        let len = plaintext.len().min(PREMASTER_LEN);
        candidate[..len].copy_from_slice(&plaintext[..len]);

        let version = |wanted: u32| {
            let [.., high, low] = wanted.to_be_bytes();
            (candidate[0] ^ high) | (candidate[1] ^ low)
        };
        // A client may send the negotiated version in place of the one it offered; zero is none.
        let negotiated = match self.tls_negotiated_version {
            0 => u8::MAX,
            wanted => version(wanted),
        };
        let wrong_version =
            u8::from(version(self.tls_client_version) != 0) & u8::from(negotiated != 0);
        let wrong = wrong_version | u8::from(plaintext.len() != PREMASTER_LEN);
        let mask = std::hint::black_box(0_u8.wrapping_sub(wrong));
        for (byte, random) in candidate.iter_mut().zip(random.iter()) {
            *byte = (*byte & !mask) | (random & mask);
        }
        Ok(candidate)
    }
}

unsafe extern "C" fn newctx(provctx: *mut c_void) -> *mut c_void {
    let body = |_: &Provider| -> Result<Box<Context>> {
        // SAFETY: the guard has seen that it is not null; the core passes the provider context.
        let provider = unsafe { guard::clone_arc(provctx) }.ok_or(Error::Silent)?;
        Ok(Box::new(Context::new(provider)))
    };
    // SAFETY: the core passes the provider context.
    unsafe { guard::shared("asym_cipher newctx", provctx, body) }
}

unsafe extern "C" fn freectx(ctx: *mut c_void) {
    // SAFETY: the core gives back what `newctx` or `dupctx` gave it.
    unsafe { guard::free_box::<Context>(ctx) };
}

unsafe extern "C" fn dupctx(ctx: *mut c_void) -> *mut c_void {
    let body = |ctx: &mut Context| -> Result<Box<Context>> { Ok(Box::new(ctx.clone())) };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("asym_cipher dupctx", ctx, body) }
}

unsafe extern "C" fn encrypt_init(
    ctx: *mut c_void,
    key: *mut c_void,
    params: *const Param,
) -> c_int {
    let body = |ctx: &mut Context| -> Result<()> {
        // SAFETY: the core passes a key of ours, or null, and a parameter array.
        let (key, params) = unsafe { (guard::clone_arc(key), Params::from_ptr(params)) };
        ctx.init(key, params)
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("asym_cipher encrypt_init", ctx, body) }
}

unsafe extern "C" fn decrypt_init(
    ctx: *mut c_void,
    key: *mut c_void,
    params: *const Param,
) -> c_int {
    let body = |ctx: &mut Context| -> Result<()> {
        // SAFETY: the core passes a key of ours, or null, and a parameter array.
        let (key, params) = unsafe { (guard::clone_arc(key), Params::from_ptr(params)) };
        ctx.init(key, params)?;
        ctx.key()?.require_vault().map(drop)
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("asym_cipher decrypt_init", ctx, body) }
}

/// libcrypto's rules: without room only the longest size is told, and room for less is refused
/// before anything is done.
fn produce(
    out: Option<Output<'_>>,
    max_len: usize,
    data: impl FnOnce() -> Result<Zeroizing<Vec<u8>>>,
) -> Result<()> {
    let out = out.ok_or_else(|| Error::null("place for the output's length"))?;
    let Some(room) = out.room() else {
        out.answer_len(max_len);
        return Ok(());
    };
    if room < max_len {
        return Err(Error::argument(format!(
            "the output takes up to {max_len} bytes, there is room for {room}"
        )));
    }
    let data = data()?;
    if out.write(&data) {
        Ok(())
    } else {
        Err(Error::internal(format!("an output of {} bytes", data.len())))
    }
}

unsafe extern "C" fn encrypt(
    ctx: *mut c_void,
    out: *mut c_uchar,
    outlen: *mut usize,
    outsize: usize,
    input: *const c_uchar,
    inlen: usize,
) -> c_int {
    let body = |ctx: &mut Context| -> Result<()> {
        // SAFETY: the core passes room and data of these sizes.
        let (out, input) =
            unsafe { (Output::new(out, outlen, outsize), guard::bytes(input, inlen)) };
        let max_len = ctx.public()?.size();
        produce(out, max_len, || {
            ctx.encrypt(input.ok_or_else(|| Error::null("data"))?).map(Zeroizing::new)
        })
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("asym_cipher encrypt", ctx, body) }
}

unsafe extern "C" fn decrypt(
    ctx: *mut c_void,
    out: *mut c_uchar,
    outlen: *mut usize,
    outsize: usize,
    input: *const c_uchar,
    inlen: usize,
) -> c_int {
    let body = |ctx: &mut Context| -> Result<()> {
        // SAFETY: the core passes room and data of these sizes.
        let (out, input) =
            unsafe { (Output::new(out, outlen, outsize), guard::bytes(input, inlen)) };
        let max_len = match ctx.padding {
            Padding::Tls => PREMASTER_LEN,
            _ => ctx.public()?.size(),
        };
        produce(out, max_len, || ctx.decrypt(input.ok_or_else(|| Error::null("data"))?))
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("asym_cipher decrypt", ctx, body) }
}

unsafe extern "C" fn get_ctx_params(ctx: *mut c_void, params: *mut Param) -> c_int {
    let body = |ctx: &mut Context| -> Result<()> {
        // SAFETY: the core passes a parameter array to be answered.
        let mut answers = unsafe { Answers::from_ptr(params) };
        ctx.answer(&mut answers)
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("asym_cipher get_ctx_params", ctx, body) }
}

unsafe extern "C" fn gettable_ctx_params(_ctx: *mut c_void, _provctx: *mut c_void) -> *const Param {
    static PARAMS: &[Param] = &[
        Param::describe(names::PAD_MODE, DataType::Utf8String),
        Param::describe(names::DIGEST, DataType::Utf8String),
        Param::describe(names::MGF1_DIGEST, DataType::Utf8String),
        Param::describe(names::TLS_CLIENT_VERSION, DataType::UnsignedInteger),
        Param::describe(names::TLS_NEGOTIATED_VERSION, DataType::UnsignedInteger),
        Param::END,
    ];
    PARAMS.as_ptr()
}

unsafe extern "C" fn set_ctx_params(ctx: *mut c_void, params: *const Param) -> c_int {
    let body = |ctx: &mut Context| -> Result<()> {
        // SAFETY: the core passes a parameter array.
        ctx.set(unsafe { Params::from_ptr(params) })
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("asym_cipher set_ctx_params", ctx, body) }
}

unsafe extern "C" fn settable_ctx_params(_ctx: *mut c_void, _provctx: *mut c_void) -> *const Param {
    static PARAMS: &[Param] = &[
        Param::describe(names::PAD_MODE, DataType::Utf8String),
        Param::describe(names::DIGEST, DataType::Utf8String),
        Param::describe(names::OAEP_DIGEST_PROPERTIES, DataType::Utf8String),
        Param::describe(names::MGF1_DIGEST, DataType::Utf8String),
        Param::describe(names::MGF1_PROPERTIES, DataType::Utf8String),
        Param::describe(names::OAEP_LABEL, DataType::OctetString),
        Param::describe(names::TLS_CLIENT_VERSION, DataType::UnsignedInteger),
        Param::describe(names::TLS_NEGOTIATED_VERSION, DataType::UnsignedInteger),
        Param::describe(names::IMPLICIT_REJECTION, DataType::UnsignedInteger),
        Param::END,
    ];
    PARAMS.as_ptr()
}
