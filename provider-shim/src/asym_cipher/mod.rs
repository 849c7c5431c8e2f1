//! RSA encryption: decrypting in the vault, encrypting here.
//!
//! | module | what |
//! |---|---|
//! | [`context`] | the state of one operation, and its parameters |
//! | [`oaep`] | which OAEP there is |
//! | [`encrypt`], [`decrypt`] | the two operations |
//! | [`premaster`] | the premaster secret of TLS, of which a peer must not learn whether it was right |

mod context;
mod decrypt;
mod encrypt;
mod oaep;
mod premaster;

use self::context::Context;
use crate::error::{Error, Result};
use crate::key_type::RSA;
use crate::provider::Provider;
use crate::rsa_public::Padding;
use crate::transform::transform;
use ossl_abi::functions::asym_cipher as id;
use ossl_abi::guard;
use ossl_abi::names;
use ossl_abi::params::{Answers, Params};
use ossl_abi::types::{Algorithm, DataType, Dispatch, Param};
use std::ffi::{c_int, c_uchar, c_void};
use zeroize::Zeroizing;

pub(crate) const ALGORITHM: Algorithm = Algorithm::new(
    RSA,
    c"provider=akv_provider",
    TABLE,
    c"RSA encryption with keys in Azure Key Vault and Managed HSM",
);

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

unsafe extern "C" fn dupctx(ctx: *const c_void) -> *mut c_void {
    let body = |ctx: &Context| -> Result<Box<Context>> { Ok(Box::new(ctx.clone())) };
    // SAFETY: the core passes our context, which others may be reading too.
    unsafe { guard::shared("asym_cipher dupctx", ctx, body) }
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
        ctx.key()?.private().map(drop)
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("asym_cipher decrypt_init", ctx, body) }
}

unsafe extern "C" fn encrypt(
    ctx: *mut c_void,
    out: *mut c_uchar,
    outlen: *mut usize,
    outsize: usize,
    input: *const c_uchar,
    inlen: usize,
) -> c_int {
    let max_len = |ctx: &Context, _| Ok(ctx.public()?.size());
    let run = |ctx: &Context, input: &[u8]| ctx.encrypt(input).map(Zeroizing::new);
    let (out, input) = ((out, outlen, outsize), (input, inlen));
    // SAFETY: the core passes our context, which one thread uses at a time, and such room and data.
    unsafe { transform("asym_cipher encrypt", ctx, out, input, max_len, run) }
}

unsafe extern "C" fn decrypt(
    ctx: *mut c_void,
    out: *mut c_uchar,
    outlen: *mut usize,
    outsize: usize,
    input: *const c_uchar,
    inlen: usize,
) -> c_int {
    let max_len = |ctx: &Context, _| match ctx.padding() {
        Padding::Tls => Ok(premaster::LEN),
        _ => Ok(ctx.public()?.size()),
    };
    let (out, input) = ((out, outlen, outsize), (input, inlen));
    // SAFETY: the core passes our context, which one thread uses at a time, and such room and data.
    unsafe { transform("asym_cipher decrypt", ctx, out, input, max_len, Context::decrypt) }
}

unsafe extern "C" fn get_ctx_params(ctx: *const c_void, params: *mut Param) -> c_int {
    let body = |ctx: &Context| -> Result<()> {
        // SAFETY: the core passes a parameter array to be answered.
        let mut answers = unsafe { Answers::from_ptr(params) };
        ctx.answer(&mut answers)
    };
    // SAFETY: the core passes our context, which others may be reading too.
    unsafe { guard::shared("asym_cipher get_ctx_params", ctx, body) }
}

unsafe extern "C" fn gettable_ctx_params(
    _ctx: *const c_void,
    _provctx: *mut c_void,
) -> *const Param {
    static PARAMS: &[Param] = &[
        Param::describe(names::PAD_MODE, DataType::Utf8String),
        Param::describe(names::DIGEST, DataType::Utf8String),
        Param::describe(names::MGF1_DIGEST, DataType::Utf8String),
        Param::describe(names::OAEP_LABEL, DataType::OctetPtr),
        Param::describe_uint(names::TLS_CLIENT_VERSION),
        Param::describe_uint(names::TLS_NEGOTIATED_VERSION),
        Param::describe_uint(names::IMPLICIT_REJECTION),
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

unsafe extern "C" fn settable_ctx_params(
    _ctx: *const c_void,
    _provctx: *mut c_void,
) -> *const Param {
    static PARAMS: &[Param] = &[
        Param::describe(names::PAD_MODE, DataType::Utf8String),
        Param::describe(names::DIGEST, DataType::Utf8String),
        Param::describe(names::OAEP_DIGEST_PROPERTIES, DataType::Utf8String),
        Param::describe(names::MGF1_DIGEST, DataType::Utf8String),
        Param::describe(names::MGF1_PROPERTIES, DataType::Utf8String),
        Param::describe(names::OAEP_LABEL, DataType::OctetString),
        Param::describe_uint(names::TLS_CLIENT_VERSION),
        Param::describe_uint(names::TLS_NEGOTIATED_VERSION),
        Param::describe_uint(names::IMPLICIT_REJECTION),
        Param::END,
    ];
    PARAMS.as_ptr()
}
