//! Wrapping and unwrapping keys (RFC 3394) behind the functions for encryption with an `EVP_PKEY`:
//! `openssl pkeyutl -encrypt` and `-decrypt`.

use crate::error::{Error, Result};
use crate::key::{AKV_AES, SymmetricObject};
use crate::provider::Provider;
use crate::transform::transform;
use akv_core::KeyWrapAlgorithm;
use ossl_abi::Host;
use ossl_abi::functions::asym_cipher as id;
use ossl_abi::guard::{self, Object};
use ossl_abi::params::Params;
use ossl_abi::types::{Algorithm, DataType, Dispatch, Param};
use std::ffi::{CStr, c_int, c_uchar, c_void};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The service's name of the algorithm, for who knows the key's size.
const PARAMETER: &CStr = c"algorithm";

pub(crate) const ALGORITHM: Algorithm = Algorithm::new(
    AKV_AES,
    c"provider=akv_provider",
    TABLE,
    c"AES key wrap with keys in Azure Managed HSM",
);

static TABLE: &[Dispatch] = &[
    id::NEWCTX.entry(newctx),
    id::FREECTX.entry(freectx),
    id::DUPCTX.entry(dupctx),
    id::ENCRYPT_INIT.entry(init),
    id::ENCRYPT.entry(encrypt),
    id::DECRYPT_INIT.entry(init),
    id::DECRYPT.entry(decrypt),
    id::SET_CTX_PARAMS.entry(set_ctx_params),
    id::SETTABLE_CTX_PARAMS.entry(settable_ctx_params),
    Dispatch::END,
];

/// The state of one operation.
#[derive(Clone)]
struct Context {
    provider: Arc<Provider>,
    key: Option<Arc<SymmetricObject>>,
    /// Without one it is found out.
    algorithm: Option<KeyWrapAlgorithm>,
}

impl Object for Context {
    fn host(&self) -> &Host {
        self.provider.host()
    }
}

impl Context {
    fn key(&self) -> Result<&SymmetricObject> {
        self.key.as_deref().ok_or_else(|| Error::argument("no key set"))
    }

    fn set(&mut self, params: Params<'_>) -> Result<()> {
        if let Some(value) = params.get(PARAMETER) {
            self.algorithm = Some(value.utf8()?.parse()?);
        }
        Ok(())
    }

    fn wrap(&self, key: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let kek = self.key()?.key();
        let wrapped = match self.algorithm {
            Some(algorithm) => kek.wrap_key(algorithm, key),
            None => kek.wrap_key_auto(key),
        };
        Ok(Zeroizing::new(wrapped?))
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let kek = self.key()?.key();
        Ok(match self.algorithm {
            Some(algorithm) => kek.unwrap_key(algorithm, wrapped),
            None => kek.unwrap_key_auto(wrapped),
        }?)
    }
}

unsafe extern "C" fn newctx(provctx: *mut c_void) -> *mut c_void {
    let body = |_: &Provider| -> Result<Box<Context>> {
        // SAFETY: the guard has seen that it is not null; the core passes the provider context.
        let provider = unsafe { guard::clone_arc(provctx) }.ok_or(Error::Silent)?;
        Ok(Box::new(Context { provider, key: None, algorithm: None }))
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

/// Both directions begin alike: with this key, or anew with the one there is.
unsafe extern "C" fn init(ctx: *mut c_void, key: *mut c_void, params: *const Param) -> c_int {
    let body = |ctx: &mut Context| -> Result<()> {
        // SAFETY: the core passes a key of ours, or null, and a parameter array.
        let (key, params) = unsafe { (guard::clone_arc(key), Params::from_ptr(params)) };
        ctx.key = key.or_else(|| ctx.key.take());
        ctx.algorithm = None;
        ctx.key()?;
        ctx.set(params)
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("asym_cipher init", ctx, body) }
}

unsafe extern "C" fn encrypt(
    ctx: *mut c_void,
    out: *mut c_uchar,
    outlen: *mut usize,
    outsize: usize,
    input: *const c_uchar,
    inlen: usize,
) -> c_int {
    let max_len = |_: &Context, len| Ok(KeyWrapAlgorithm::wrapped_len(len)?);
    let (out, input) = ((out, outlen, outsize), (input, inlen));
    // SAFETY: the core passes our context, which one thread uses at a time, and such room and data.
    unsafe { transform("asym_cipher encrypt", ctx, out, input, max_len, Context::wrap) }
}

unsafe extern "C" fn decrypt(
    ctx: *mut c_void,
    out: *mut c_uchar,
    outlen: *mut usize,
    outsize: usize,
    input: *const c_uchar,
    inlen: usize,
) -> c_int {
    let max_len = |_: &Context, len| Ok(KeyWrapAlgorithm::unwrapped_len(len)?);
    let (out, input) = ((out, outlen, outsize), (input, inlen));
    // SAFETY: the core passes our context, which one thread uses at a time, and such room and data.
    unsafe { transform("asym_cipher decrypt", ctx, out, input, max_len, Context::unwrap) }
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
    static PARAMS: &[Param] = &[Param::describe(PARAMETER, DataType::Utf8String), Param::END];
    PARAMS.as_ptr()
}
