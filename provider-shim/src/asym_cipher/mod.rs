//! RSA encryption: decryption in the vault, encryption locally.
//!
//! | module | content |
//! |---|---|
//! | [`context`] | the state of an operation, and its parameters |
//! | [`oaep`] | the supported forms of OAEP |
//! | [`encrypt`], [`decrypt`] | the two operations |
//! | [`premaster`] | the premaster secret of TLS, whose validity must not be revealed to the peer |

mod context;
mod decrypt;
mod encrypt;
mod oaep;
mod premaster;

use std::ffi::c_void;
use std::sync::Arc;

use ossl_abi::entry;
use ossl_abi::functions::asym_cipher as id;
use ossl_abi::names;
use ossl_abi::types::{Algorithm, DataType, Dispatch, Param};
use zeroize::Zeroizing;

use self::context::Context;
use crate::error::Result;
use crate::key::KeyObject;
use crate::key_type::RSA;
use crate::provider::Provider;
use crate::rsa_public::Padding;

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

entry! {
    fn newctx("asym_cipher newctx", provider: &Arc<Provider>) -> Result<Box<Context>> {
        Ok(Box::new(Context::new(Arc::clone(provider))))
    }
}

entry! {
    fn freectx(ctx: Box<Context>);
}

entry! {
    fn dupctx("asym_cipher dupctx", ctx: &Context) -> Result<Box<Context>> {
        Ok(Box::new(ctx.clone()))
    }
}

entry! {
    fn encrypt_init(
        "asym_cipher encrypt_init",
        ctx: &mut Context,
        key: Option<Arc<KeyObject>>,
        params: Params,
    ) -> Result<()> {
        ctx.init(key, params)
    }
}

entry! {
    fn decrypt_init(
        "asym_cipher decrypt_init",
        ctx: &mut Context,
        key: Option<Arc<KeyObject>>,
        params: Params,
    ) -> Result<()> {
        ctx.init(key, params)?;
        ctx.key()?.private().map(drop)
    }
}

entry! {
    fn encrypt(
        "asym_cipher encrypt",
        ctx: &mut Context,
        out: Output("place for the output's length"),
        input: Input("data"),
    ) -> Result<()> {
        out.produce(ctx.public()?.size(), || ctx.encrypt(input.bytes()?).map(Zeroizing::new))
    }
}

entry! {
    fn decrypt(
        "asym_cipher decrypt",
        ctx: &mut Context,
        out: Output("place for the output's length"),
        input: Input("data"),
    ) -> Result<()>, waits {
        let max_len = match ctx.padding() {
            Padding::Tls => akv_core::Key::TLS_PREMASTER_LEN,
            _ => ctx.public()?.size(),
        };
        out.produce(max_len, || ctx.decrypt(input.bytes()?))
    }
}

entry! {
    fn get_ctx_params(
        "asym_cipher get_ctx_params",
        ctx: &Context,
        answers: Answers,
    ) -> Result<()> {
        ctx.answer(answers)
    }
}

extern "C" fn gettable_ctx_params(_ctx: *const c_void, _provctx: *mut c_void) -> *const Param {
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

entry! {
    fn set_ctx_params(
        "asym_cipher set_ctx_params",
        ctx: &mut Context,
        params: Params,
    ) -> Result<()> {
        ctx.set(params)
    }
}

extern "C" fn settable_ctx_params(_ctx: *const c_void, _provctx: *mut c_void) -> *const Param {
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
