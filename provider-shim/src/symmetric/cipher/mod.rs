//! Ciphers with opaque keys (from OpenSSL 3.5 on): key wrap and CBC, done by the HSM.
//!
//! Their names are our own, `AKV-AES-256-CBC`, and not the usual ones. They can do nothing with the
//! bytes of a key, so they must not be found by anybody who has such bytes: not by who asks for
//! `AES-256-CBC` of whatever provider, nor by who prefers ours for its keys with
//! `?provider=akv_provider`, and whose session tickets and encrypted key files need that cipher too.
//!
//! There is no GCM: the HSM chooses the initialization vector, where `EVP` gives its own.

mod context;

use self::context::{Cipher, Context};
use crate::error::{Error, Result};
use crate::provider::Provider;
use akv_core::{CbcAlgorithm, KeyWrapAlgorithm};
use ossl_abi::functions::cipher as id;
use ossl_abi::guard::{self, Output};
use ossl_abi::names;
use ossl_abi::params::{Answers, Params};
use ossl_abi::types::{Algorithm, DataType, Dispatch, Param};
use std::ffi::{c_int, c_uchar, c_void};
use zeroize::Zeroizing;

/// A cipher known at compile time, for the functions that get no context.
trait Known {
    const CIPHER: Cipher;
}

macro_rules! ciphers {
    ($($type:ident, $name:literal, $cipher:expr;)*) => {
        $(
            struct $type;

            impl Known for $type {
                const CIPHER: Cipher = $cipher;
            }
        )*

        pub(crate) static ALGORITHMS: &[Algorithm] = &[
            $(Algorithm::new(
                $name,
                c"provider=akv_provider",
                &table::<$type>(),
                c"AES with opaque keys in Azure Managed HSM",
            ),)*
            Algorithm::END,
        ];
    };
}

ciphers! {
    Wrap128, c"AKV-AES-128-WRAP", Cipher::Wrap(KeyWrapAlgorithm::A128Kw);
    Wrap192, c"AKV-AES-192-WRAP", Cipher::Wrap(KeyWrapAlgorithm::A192Kw);
    Wrap256, c"AKV-AES-256-WRAP", Cipher::Wrap(KeyWrapAlgorithm::A256Kw);
    Cbc128, c"AKV-AES-128-CBC", Cipher::Cbc(CbcAlgorithm::A128CbcPad);
    Cbc192, c"AKV-AES-192-CBC", Cipher::Cbc(CbcAlgorithm::A192CbcPad);
    Cbc256, c"AKV-AES-256-CBC", Cipher::Cbc(CbcAlgorithm::A256CbcPad);
}

const fn table<K: Known>() -> [Dispatch; 16] {
    [
        id::NEWCTX.entry(newctx::<K>),
        id::FREECTX.entry(freectx),
        id::DUPCTX.entry(dupctx),
        id::ENCRYPT_INIT.entry(init::<true>),
        id::DECRYPT_INIT.entry(init::<false>),
        id::ENCRYPT_SKEY_INIT.entry(skey_init::<true>),
        id::DECRYPT_SKEY_INIT.entry(skey_init::<false>),
        id::UPDATE.entry(update),
        id::FINAL.entry(finish),
        id::GET_PARAMS.entry(get_params::<K>),
        id::GETTABLE_PARAMS.entry(gettable_params),
        id::GET_CTX_PARAMS.entry(get_ctx_params),
        id::GETTABLE_CTX_PARAMS.entry(gettable_ctx_params),
        id::SET_CTX_PARAMS.entry(set_ctx_params),
        id::SETTABLE_CTX_PARAMS.entry(settable_ctx_params),
        Dispatch::END,
    ]
}

unsafe extern "C" fn newctx<K: Known>(provctx: *mut c_void) -> *mut c_void {
    let body = |_: &Provider| -> Result<Box<Context>> {
        // SAFETY: the guard has seen that it is not null; the core passes the provider context.
        let provider = unsafe { guard::clone_arc(provctx) }.ok_or(Error::Silent)?;
        Ok(Box::new(Context::new(provider, K::CIPHER)))
    };
    // SAFETY: the core passes the provider context.
    unsafe { guard::shared("cipher newctx", provctx, body) }
}

unsafe extern "C" fn freectx(ctx: *mut c_void) {
    // SAFETY: the core gives back what `newctx` or `dupctx` gave it.
    unsafe { guard::free_box::<Context>(ctx) };
}

unsafe extern "C" fn dupctx(ctx: *const c_void) -> *mut c_void {
    let body = |ctx: &Context| -> Result<Box<Context>> { Ok(Box::new(ctx.clone())) };
    // SAFETY: the core passes our context, which others may be reading too.
    unsafe { guard::shared("cipher dupctx", ctx, body) }
}

/// Without a key it is a step of an initialization that has several.
unsafe extern "C" fn init<const ENCRYPTS: bool>(
    ctx: *mut c_void,
    key: *const c_uchar,
    _keylen: usize,
    iv: *const c_uchar,
    ivlen: usize,
    params: *const Param,
) -> c_int {
    let body = |ctx: &mut Context| -> Result<()> {
        if !key.is_null() {
            return Err(Error::argument(
                "this cipher takes no bytes of a key, but an opaque key of akv_provider \
                 (EVP_CipherInit_SKEY); with bytes use the cipher of another provider",
            ));
        }
        // SAFETY: the core passes an initialization vector of this length, or null, and a
        // parameter array.
        let (iv, params) = unsafe { (vector(iv, ivlen), Params::from_ptr(params)) };
        ctx.init(ENCRYPTS, None, iv, params)
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("cipher init", ctx, body) }
}

unsafe extern "C" fn skey_init<const ENCRYPTS: bool>(
    ctx: *mut c_void,
    key: *mut c_void,
    iv: *const c_uchar,
    ivlen: usize,
    params: *const Param,
) -> c_int {
    let body = |ctx: &mut Context| -> Result<()> {
        // SAFETY: the core passes an opaque key of ours, or null, an initialization vector of this
        // length, or null, and a parameter array.
        let (key, iv, params) =
            unsafe { (guard::clone_arc(key), vector(iv, ivlen), Params::from_ptr(params)) };
        ctx.init(ENCRYPTS, key, iv, params)
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("cipher skey_init", ctx, body) }
}

/// # Safety
/// `iv` is null or leads to `len` readable bytes that stay as they are for `'a`.
unsafe fn vector<'a>(iv: *const c_uchar, len: usize) -> Option<&'a [u8]> {
    // SAFETY: vouched for by the caller.
    if iv.is_null() { None } else { unsafe { guard::bytes(iv, len) } }
}

/// libcrypto lets the output be where the input is, so the input is copied first.
unsafe extern "C" fn update(
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
        let input = Zeroizing::new(input.ok_or_else(|| Error::null("data"))?.to_vec());
        ctx.update(out, &input)
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("cipher update", ctx, body) }
}

unsafe extern "C" fn finish(
    ctx: *mut c_void,
    out: *mut c_uchar,
    outlen: *mut usize,
    outsize: usize,
) -> c_int {
    let body = |ctx: &mut Context| -> Result<()> {
        // SAFETY: the core passes room of this size.
        ctx.finish(unsafe { Output::new(out, outlen, outsize) })
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("cipher final", ctx, body) }
}

/// Asked for when the cipher is fetched, without a context: there is no host to tell of a failure.
unsafe extern "C" fn get_params<K: Known>(params: *mut Param) -> c_int {
    let body = || {
        // SAFETY: the core passes a parameter array to be answered.
        let mut answers = unsafe { Answers::from_ptr(params) };
        K::CIPHER.answer(&mut answers).is_ok().into()
    };
    guard::alone("cipher get_params", 0, body)
}

unsafe extern "C" fn gettable_params(_provctx: *mut c_void) -> *const Param {
    static PARAMS: &[Param] = &[
        Param::describe(names::CIPHER_MODE, DataType::UnsignedInteger),
        Param::describe(names::CIPHER_KEYLEN, DataType::UnsignedInteger),
        Param::describe(names::CIPHER_IVLEN, DataType::UnsignedInteger),
        Param::describe(names::CIPHER_BLOCK_SIZE, DataType::UnsignedInteger),
        Param::describe(names::CIPHER_CUSTOM_IV, DataType::Integer),
        Param::END,
    ];
    PARAMS.as_ptr()
}

unsafe extern "C" fn get_ctx_params(ctx: *const c_void, params: *mut Param) -> c_int {
    let body = |ctx: &Context| -> Result<()> {
        // SAFETY: the core passes a parameter array to be answered.
        ctx.answer(&mut unsafe { Answers::from_ptr(params) })
    };
    // SAFETY: the core passes our context, which others may be reading too.
    unsafe { guard::shared("cipher get_ctx_params", ctx, body) }
}

unsafe extern "C" fn gettable_ctx_params(
    _ctx: *const c_void,
    _provctx: *mut c_void,
) -> *const Param {
    static PARAMS: &[Param] = &[
        Param::describe(names::CIPHER_KEYLEN, DataType::UnsignedInteger),
        Param::describe(names::CIPHER_IVLEN, DataType::UnsignedInteger),
        Param::describe_uint(names::CIPHER_PADDING),
        Param::describe(names::CIPHER_IV, DataType::OctetString),
        Param::describe(names::CIPHER_UPDATED_IV, DataType::OctetString),
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
    unsafe { guard::exclusive("cipher set_ctx_params", ctx, body) }
}

unsafe extern "C" fn settable_ctx_params(
    _ctx: *const c_void,
    _provctx: *mut c_void,
) -> *const Param {
    static PARAMS: &[Param] = &[
        Param::describe(names::CIPHER_KEYLEN, DataType::UnsignedInteger),
        Param::describe_uint(names::CIPHER_PADDING),
        Param::END,
    ];
    PARAMS.as_ptr()
}
