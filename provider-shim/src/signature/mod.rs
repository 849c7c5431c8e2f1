//! Signatures: made in the vault, verified locally.
//!
//! The algorithms have the usual names. For each operation, libcrypto first fetches any provider's
//! algorithm with that name, and that provider's key management for the key's type. Our key
//! management refuses to export a vault key to it, and libcrypto then fetches both from us.

mod composite;
mod context;
mod ecdsa;
mod pss_verify;
mod rsa;
mod verify;

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Arc;

use ossl_abi::entry;
use ossl_abi::functions::signature as id;
use ossl_abi::types::{Algorithm, Dispatch, Param};

use self::context::{Context, Scheme};
use self::ecdsa::Ecdsa;
use self::rsa::Rsa;
use crate::error::Result;
use crate::key::KeyObject;
use crate::key_type;
use crate::provider::Provider;

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

/// The algorithms. Those with a digest in their name are usable only by hosts with the functions
/// for explicitly fetched algorithms.
pub(crate) fn algorithms(with_composites: bool) -> &'static [Algorithm] {
    static SIMPLE: &[Algorithm] = &[RSA, ECDSA, Algorithm::END];
    if with_composites { composite::ALL } else { SIMPLE }
}

/// The operation that a context was initialised for.
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

/// Only RSA supports verify-recover.
const fn recovery<S: Scheme>() -> [Dispatch; 3] {
    [
        id::VERIFY_RECOVER_INIT.entry(verify_recover_init::<S>),
        id::VERIFY_RECOVER.entry(verify_recover::<S>),
        Dispatch::END,
    ]
}

/// Concatenates two tables; `ALL` is the sum of their lengths.
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

entry! {
    fn newctx<S: Scheme>(
        "signature newctx",
        provider: &Arc<Provider>,
        _properties: *const c_char,
    ) -> Result<Box<Context<S>>> {
        Ok(Box::new(Context::new(Arc::clone(provider))))
    }
}

entry! {
    fn freectx<S: Scheme>(ctx: Box<Context<S>>);
}

entry! {
    fn dupctx<S: Scheme>("signature dupctx", ctx: &Context<S>) -> Result<Box<Context<S>>> {
        Ok(Box::new(ctx.clone()))
    }
}

/// If no key is given, an initialisation keeps the previous one.
macro_rules! plain_init {
    ($function:ident, $name:literal, $operation:expr) => {
        entry! {
            fn $function<S: Scheme>(
                $name,
                ctx: &mut Context<S>,
                key: Option<Arc<KeyObject>>,
                params: Params,
            ) -> Result<()> {
                ctx.init($operation, key, params)
            }
        }
    };
}

plain_init!(sign_init, "signature sign_init", Operation::Sign);
plain_init!(verify_init, "signature verify_init", Operation::Verify);
plain_init!(verify_recover_init, "signature verify_recover_init", Operation::VerifyRecover);

macro_rules! digest_init {
    ($function:ident, $name:literal, $operation:expr) => {
        entry! {
            fn $function<S: Scheme>(
                $name,
                ctx: &mut Context<S>,
                digest: Option<Text>,
                key: Option<Arc<KeyObject>>,
                params: Params,
            ) -> Result<()> {
                ctx.digest_init($operation, digest, key, params)
            }
        }
    };
}

digest_init!(digest_sign_init, "signature digest_sign_init", Operation::Sign);
digest_init!(digest_verify_init, "signature digest_verify_init", Operation::Verify);

entry! {
    fn update<S: Scheme>(
        "signature update",
        ctx: &mut Context<S>,
        data: Bytes("data"),
    ) -> Result<()> {
        ctx.update(data)
    }
}

entry! {
    fn sign<S: Scheme>(
        "signature sign",
        ctx: &mut Context<S>,
        out: Output("place for the signature's length"),
        tbs: Bytes("data"),
    ) -> Result<()>, waits {
        ctx.sign(out, tbs)
    }
}

entry! {
    fn digest_sign_final<S: Scheme>(
        "signature digest_sign_final",
        ctx: &mut Context<S>,
        out: Output("place for the signature's length"),
    ) -> Result<()>, waits {
        ctx.sign_message(out, None)
    }
}

entry! {
    fn digest_sign<S: Scheme>(
        "signature digest_sign",
        ctx: &mut Context<S>,
        out: Output("place for the signature's length"),
        tbs: Input("data"),
    ) -> Result<()>, waits {
        // Callers may omit the message when they ask for the length.
        let rest = if out.room().is_none() { None } else { Some(tbs.bytes()?) };
        ctx.sign_message(out, rest)
    }
}

entry! {
    fn verify<S: Scheme>(
        "signature verify",
        ctx: &mut Context<S>,
        signature: Bytes("signature"),
        tbs: Bytes("data"),
    ) -> Result<()> {
        ctx.verify(signature, tbs)
    }
}

entry! {
    fn verify_recover<S: Scheme>(
        "signature verify_recover",
        ctx: &mut Context<S>,
        out: Output("place for the signature's length"),
        signature: Bytes("signature"),
    ) -> Result<()> {
        ctx.verify_recover(out, signature)
    }
}

entry! {
    fn digest_verify_final<S: Scheme>(
        "signature digest_verify_final",
        ctx: &mut Context<S>,
        signature: Bytes("signature"),
    ) -> Result<()> {
        ctx.verify_message(signature, None)
    }
}

entry! {
    fn digest_verify<S: Scheme>(
        "signature digest_verify",
        ctx: &mut Context<S>,
        signature: Bytes("signature"),
        tbs: Bytes("data"),
    ) -> Result<()> {
        ctx.verify_message(signature, Some(tbs))
    }
}

entry! {
    fn get_ctx_params<S: Scheme>(
        "signature get_ctx_params",
        ctx: &Context<S>,
        answers: Answers,
    ) -> Result<()> {
        ctx.answer(answers)
    }
}

extern "C" fn gettable_ctx_params<S: Scheme>(
    _ctx: *const c_void,
    _provctx: *mut c_void,
) -> *const Param {
    S::GETTABLE.as_ptr()
}

entry! {
    fn set_ctx_params<S: Scheme>(
        "signature set_ctx_params",
        ctx: &mut Context<S>,
        params: Params,
    ) -> Result<()> {
        ctx.set(params)
    }
}

entry! {
    fn settable_ctx_params<S: Scheme>(
        "signature settable_ctx_params",
        ctx: &Context<S>,
        _provctx: *mut c_void,
    ) -> *const Param, or (S::SETTABLE.as_ptr()) {
        ctx.settable().as_ptr()
    }
}

/// Our digests have no parameters.
extern "C" fn no_md_params(_ctx: *const c_void) -> *const Param {
    static NONE: &[Param] = &[Param::END];
    NONE.as_ptr()
}

extern "C" fn get_ctx_md_params(_ctx: *const c_void, _params: *mut Param) -> c_int {
    1
}

extern "C" fn set_ctx_md_params(_ctx: *mut c_void, _params: *const Param) -> c_int {
    1
}
