//! Signatures: made in the vault, verified here.
//!
//! The algorithms have the usual names. For each operation libcrypto then first fetches what any
//! provider has under the name, with that provider's key management for the key's type; ours
//! refuses to export a key of a vault to it, and libcrypto fetches both from us.

mod composite;
mod context;
mod ecdsa;
mod pss;
mod rsa;
mod verify;

use self::context::{Context, Scheme};
use self::ecdsa::Ecdsa;
use self::rsa::Rsa;
use crate::error::{Error, Result};
use crate::key::KeyObject;
use crate::key_type;
use crate::provider::Provider;
use ossl_abi::functions::signature as id;
use ossl_abi::guard::{self, Output};
use ossl_abi::params::{Answers, Params};
use ossl_abi::types::{Algorithm, Dispatch, Param};
use std::ffi::{CStr, c_char, c_int, c_uchar, c_void};
use std::sync::Arc;

const PROPERTIES: &CStr = c"provider=akv_provider";

const RSA: Algorithm = Algorithm::new(
    key_type::RSA,
    PROPERTIES,
    &joined::<_, _, 26>(table::<Rsa>(), recovery::<Rsa>()),
    c"RSA signatures with keys in Azure Key Vault and Managed HSM",
);

const ECDSA: Algorithm = Algorithm::new(
    key_type::ECDSA,
    PROPERTIES,
    &joined::<_, _, 24>(table::<Ecdsa>(), [Dispatch::END]),
    c"ECDSA signatures with keys in Azure Key Vault and Managed HSM",
);

/// The algorithms. Those whose names say the digest are of use to hosts that have the functions
/// which take an algorithm chosen by name.
pub(crate) fn algorithms(with_composites: bool) -> &'static [Algorithm] {
    static SIMPLE: &[Algorithm] = &[RSA, ECDSA, Algorithm::END];
    if with_composites { composite::ALL } else { SIMPLE }
}

/// What a context was initialised for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Sign,
    Verify,
    VerifyRecover,
}

const fn table<S: Scheme>() -> [Dispatch; 23] {
    [
        id::NEWCTX.entry(newctx::<S>),
        id::FREECTX.entry(freectx::<S>),
        id::DUPCTX.entry(dupctx::<S>),
        id::SIGN_INIT.entry(sign_init::<S>),
        id::SIGN.entry(sign::<S>),
        id::VERIFY_INIT.entry(verify_init::<S>),
        id::VERIFY.entry(verify::<S>),
        id::DIGEST_SIGN_INIT.entry(digest_sign_init::<S>),
        id::DIGEST_SIGN_UPDATE.entry(update::<S>),
        id::DIGEST_SIGN_FINAL.entry(digest_sign_final::<S>),
        id::DIGEST_SIGN.entry(digest_sign::<S>),
        id::DIGEST_VERIFY_INIT.entry(digest_verify_init::<S>),
        id::DIGEST_VERIFY_UPDATE.entry(update::<S>),
        id::DIGEST_VERIFY_FINAL.entry(digest_verify_final::<S>),
        id::DIGEST_VERIFY.entry(digest_verify::<S>),
        id::GET_CTX_PARAMS.entry(get_ctx_params::<S>),
        id::GETTABLE_CTX_PARAMS.entry(gettable_ctx_params::<S>),
        id::SET_CTX_PARAMS.entry(set_ctx_params::<S>),
        id::SETTABLE_CTX_PARAMS.entry(settable_ctx_params::<S>),
        id::GET_CTX_MD_PARAMS.entry(get_ctx_md_params),
        id::GETTABLE_CTX_MD_PARAMS.entry(no_md_params),
        id::SET_CTX_MD_PARAMS.entry(set_ctx_md_params),
        id::SETTABLE_CTX_MD_PARAMS.entry(no_md_params),
    ]
}

/// Whatever a signature was made over can be had back from RSA's alone.
const fn recovery<S: Scheme>() -> [Dispatch; 3] {
    [
        id::VERIFY_RECOVER_INIT.entry(verify_recover_init::<S>),
        id::VERIFY_RECOVER.entry(verify_recover::<S>),
        Dispatch::END,
    ]
}

/// Two tables in one, of the size that they have together.
const fn joined<const A: usize, const B: usize, const ALL: usize>(
    first: [Dispatch; A],
    second: [Dispatch; B],
) -> [Dispatch; ALL] {
    assert!(A + B == ALL);
    let mut all = [Dispatch::END; ALL];
    let mut at = 0;
    while at < ALL {
        all[at] = if at < A { first[at] } else { second[at - A] };
        at += 1;
    }
    all
}

unsafe extern "C" fn newctx<S: Scheme>(
    provctx: *mut c_void,
    _properties: *const c_char,
) -> *mut c_void {
    let body = |_: &Provider| -> Result<Box<Context<S>>> {
        // SAFETY: the guard has seen that it is not null; the core passes the provider context.
        let provider = unsafe { guard::clone_arc(provctx) }.ok_or(Error::Silent)?;
        Ok(Box::new(Context::new(provider)))
    };
    // SAFETY: the core passes the provider context.
    unsafe { guard::shared("signature newctx", provctx, body) }
}

unsafe extern "C" fn freectx<S: Scheme>(ctx: *mut c_void) {
    // SAFETY: the core gives back what `newctx` or `dupctx` gave it.
    unsafe { guard::free_box::<Context<S>>(ctx) };
}

unsafe extern "C" fn dupctx<S: Scheme>(ctx: *const c_void) -> *mut c_void {
    let body = |ctx: &Context<S>| -> Result<Box<Context<S>>> { Ok(Box::new(ctx.clone())) };
    // SAFETY: the core passes our context, which others may be reading too.
    unsafe { guard::shared("signature dupctx", ctx, body) }
}

/// The key that an initialisation names; null means to go on with the one before.
///
/// # Safety
/// `key` is null or one of our key objects.
unsafe fn key_argument(key: *mut c_void) -> Option<Arc<KeyObject>> {
    // SAFETY: vouched for by the caller.
    unsafe { guard::clone_arc(key) }
}

macro_rules! plain_init {
    ($function:ident, $name:literal, $operation:expr) => {
        unsafe extern "C" fn $function<S: Scheme>(
            ctx: *mut c_void,
            key: *mut c_void,
            params: *const Param,
        ) -> c_int {
            let body = |ctx: &mut Context<S>| -> Result<()> {
                // SAFETY: the core passes a key of ours, or null, and a parameter array.
                let (key, params) = unsafe { (key_argument(key), Params::from_ptr(params)) };
                ctx.init($operation, key, params)
            };
            // SAFETY: the core passes our context, which one thread uses at a time.
            unsafe { guard::exclusive($name, ctx, body) }
        }
    };
}

plain_init!(sign_init, "signature sign_init", Operation::Sign);
plain_init!(verify_init, "signature verify_init", Operation::Verify);
plain_init!(verify_recover_init, "signature verify_recover_init", Operation::VerifyRecover);

macro_rules! digest_init {
    ($function:ident, $name:literal, $operation:expr) => {
        unsafe extern "C" fn $function<S: Scheme>(
            ctx: *mut c_void,
            digest: *const c_char,
            key: *mut c_void,
            params: *const Param,
        ) -> c_int {
            let body = |ctx: &mut Context<S>| -> Result<()> {
                // SAFETY: the core passes a name, or null.
                let digest = unsafe { guard::text(digest) };
                // SAFETY: the core passes a key of ours, or null, and a parameter array.
                let (key, params) = unsafe { (key_argument(key), Params::from_ptr(params)) };
                ctx.digest_init($operation, digest, key, params)
            };
            // SAFETY: the core passes our context, which one thread uses at a time.
            unsafe { guard::exclusive($name, ctx, body) }
        }
    };
}

digest_init!(digest_sign_init, "signature digest_sign_init", Operation::Sign);
digest_init!(digest_verify_init, "signature digest_verify_init", Operation::Verify);

unsafe extern "C" fn update<S: Scheme>(
    ctx: *mut c_void,
    data: *const c_uchar,
    len: usize,
) -> c_int {
    let body = |ctx: &mut Context<S>| -> Result<()> {
        // SAFETY: the core passes data of that length.
        let data = unsafe { guard::bytes(data, len) }.ok_or_else(|| Error::null("data"))?;
        ctx.update(data)
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("signature update", ctx, body) }
}

/// Where a signature goes.
///
/// # Safety
/// As for [`Output::new`].
unsafe fn signature_output<'a>(
    sig: *mut c_uchar,
    siglen: *mut usize,
    sigsize: usize,
) -> Result<Output<'a>> {
    // SAFETY: vouched for by the caller.
    unsafe { Output::new(sig, siglen, sigsize) }
        .ok_or_else(|| Error::null("place for the signature's length"))
}

unsafe extern "C" fn sign<S: Scheme>(
    ctx: *mut c_void,
    sig: *mut c_uchar,
    siglen: *mut usize,
    sigsize: usize,
    tbs: *const c_uchar,
    tbslen: usize,
) -> c_int {
    let body = |ctx: &mut Context<S>| -> Result<()> {
        // SAFETY: the core passes room and data of these sizes.
        let (out, tbs) =
            unsafe { (signature_output(sig, siglen, sigsize)?, guard::bytes(tbs, tbslen)) };
        ctx.sign(out, tbs.ok_or_else(|| Error::null("data"))?)
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("signature sign", ctx, body) }
}

unsafe extern "C" fn digest_sign_final<S: Scheme>(
    ctx: *mut c_void,
    sig: *mut c_uchar,
    siglen: *mut usize,
    sigsize: usize,
) -> c_int {
    let body = |ctx: &mut Context<S>| -> Result<()> {
        // SAFETY: the core passes room of this size.
        let out = unsafe { signature_output(sig, siglen, sigsize)? };
        ctx.sign_message(out, None)
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("signature digest_sign_final", ctx, body) }
}

unsafe extern "C" fn digest_sign<S: Scheme>(
    ctx: *mut c_void,
    sig: *mut c_uchar,
    siglen: *mut usize,
    sigsize: usize,
    tbs: *const c_uchar,
    tbslen: usize,
) -> c_int {
    let body = |ctx: &mut Context<S>| -> Result<()> {
        // SAFETY: the core passes room and data of these sizes.
        let (out, tbs) =
            unsafe { (signature_output(sig, siglen, sigsize)?, guard::bytes(tbs, tbslen)) };
        // A question for the size may come without the message.
        let asked_for_size = out.room().is_none();
        let rest =
            if asked_for_size { None } else { Some(tbs.ok_or_else(|| Error::null("data"))?) };
        ctx.sign_message(out, rest)
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("signature digest_sign", ctx, body) }
}

unsafe extern "C" fn verify<S: Scheme>(
    ctx: *mut c_void,
    sig: *const c_uchar,
    siglen: usize,
    tbs: *const c_uchar,
    tbslen: usize,
) -> c_int {
    let body = |ctx: &mut Context<S>| -> Result<()> {
        // SAFETY: the core passes data of these lengths.
        let (sig, tbs) = unsafe { (guard::bytes(sig, siglen), guard::bytes(tbs, tbslen)) };
        ctx.verify(
            sig.ok_or_else(|| Error::null("signature"))?,
            tbs.ok_or_else(|| Error::null("data"))?,
        )
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("signature verify", ctx, body) }
}

unsafe extern "C" fn verify_recover<S: Scheme>(
    ctx: *mut c_void,
    rout: *mut c_uchar,
    routlen: *mut usize,
    routsize: usize,
    sig: *const c_uchar,
    siglen: usize,
) -> c_int {
    let body = |ctx: &mut Context<S>| -> Result<()> {
        // SAFETY: the core passes room and data of these sizes.
        let (out, sig) =
            unsafe { (signature_output(rout, routlen, routsize)?, guard::bytes(sig, siglen)) };
        ctx.verify_recover(out, sig.ok_or_else(|| Error::null("signature"))?)
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("signature verify_recover", ctx, body) }
}

unsafe extern "C" fn digest_verify_final<S: Scheme>(
    ctx: *mut c_void,
    sig: *const c_uchar,
    siglen: usize,
) -> c_int {
    let body = |ctx: &mut Context<S>| -> Result<()> {
        // SAFETY: the core passes data of this length.
        let sig = unsafe { guard::bytes(sig, siglen) }.ok_or_else(|| Error::null("signature"))?;
        ctx.verify_message(sig, None)
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("signature digest_verify_final", ctx, body) }
}

unsafe extern "C" fn digest_verify<S: Scheme>(
    ctx: *mut c_void,
    sig: *const c_uchar,
    siglen: usize,
    tbs: *const c_uchar,
    tbslen: usize,
) -> c_int {
    let body = |ctx: &mut Context<S>| -> Result<()> {
        // SAFETY: the core passes data of these lengths.
        let (sig, tbs) = unsafe { (guard::bytes(sig, siglen), guard::bytes(tbs, tbslen)) };
        ctx.verify_message(
            sig.ok_or_else(|| Error::null("signature"))?,
            Some(tbs.ok_or_else(|| Error::null("data"))?),
        )
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("signature digest_verify", ctx, body) }
}

unsafe extern "C" fn get_ctx_params<S: Scheme>(ctx: *const c_void, params: *mut Param) -> c_int {
    let body = |ctx: &Context<S>| -> Result<()> {
        // SAFETY: the core passes a parameter array to be answered.
        let mut answers = unsafe { Answers::from_ptr(params) };
        ctx.answer(&mut answers)
    };
    // SAFETY: the core passes our context, which others may be reading too.
    unsafe { guard::shared("signature get_ctx_params", ctx, body) }
}

unsafe extern "C" fn gettable_ctx_params<S: Scheme>(
    _ctx: *const c_void,
    _provctx: *mut c_void,
) -> *const Param {
    S::GETTABLE.as_ptr()
}

unsafe extern "C" fn set_ctx_params<S: Scheme>(ctx: *mut c_void, params: *const Param) -> c_int {
    let body = |ctx: &mut Context<S>| -> Result<()> {
        // SAFETY: the core passes a parameter array.
        let params = unsafe { Params::from_ptr(params) };
        ctx.set(params)
    };
    // SAFETY: the core passes our context, which one thread uses at a time.
    unsafe { guard::exclusive("signature set_ctx_params", ctx, body) }
}

unsafe extern "C" fn settable_ctx_params<S: Scheme>(
    ctx: *const c_void,
    _provctx: *mut c_void,
) -> *const Param {
    // SAFETY: the core passes our context, or null.
    let list = unsafe {
        guard::query("signature settable_ctx_params", ctx, S::SETTABLE, Context::<S>::settable)
    };
    list.as_ptr()
}

/// Our digests have no parameters.
unsafe extern "C" fn no_md_params(_ctx: *const c_void) -> *const Param {
    static NONE: &[Param] = &[Param::END];
    NONE.as_ptr()
}

unsafe extern "C" fn get_ctx_md_params(_ctx: *const c_void, _params: *mut Param) -> c_int {
    1
}

unsafe extern "C" fn set_ctx_md_params(_ctx: *mut c_void, _params: *const Param) -> c_int {
    1
}
