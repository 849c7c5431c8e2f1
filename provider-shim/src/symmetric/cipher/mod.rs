//! Ciphers with opaque keys (since OpenSSL 3.5): key wrap and CBC, performed by the HSM.
//!
//! They have names of our own, such as `AKV-AES-256-CBC`, instead of the usual ones. They cannot
//! use key bytes, so callers that have key bytes must not find them: neither those that fetch
//! `AES-256-CBC` from any provider, nor those that prefer ours with `?provider=akv_provider` and
//! also need that cipher for session tickets and encrypted key files.
//!
//! GCM is not available: the HSM chooses the initialization vector, but with `EVP` the caller does.

mod context;

use std::ffi::{c_int, c_uchar, c_void};
use std::sync::Arc;

use akv_core::{CbcAlgorithm, KeyWrapAlgorithm};
use ossl_abi::entry;
use ossl_abi::functions::cipher as id;
use ossl_abi::names;
use ossl_abi::types::{Algorithm, DataType, Dispatch, Param};
use zeroize::Zeroizing;

use self::context::{Cipher, Context};
use crate::error::{Error, Result};
use crate::key::SymmetricObject;
use crate::provider::Provider;

/// A cipher known at compile time, for functions without a context.
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

entry! {
    fn newctx<K: Known>("cipher newctx", provider: &Arc<Provider>) -> Result<Box<Context>> {
        Ok(Box::new(Context::new(Arc::clone(provider), K::CIPHER)))
    }
}

entry! {
    fn freectx(ctx: Box<Context>);
}

entry! {
    fn dupctx("cipher dupctx", ctx: &Context) -> Result<Box<Context>> {
        Ok(Box::new(ctx.clone()))
    }
}

entry! {
    /// Without a key, this is one step of an initialization in several steps.
    fn init<const ENCRYPTS: bool>(
        "cipher init",
        ctx: &mut Context,
        key: *const c_uchar,
        _keylen: usize,
        iv: Option<Bytes>,
        params: Params,
    ) -> Result<()> {
        if !key.is_null() {
            return Err(Error::argument(
                "this cipher does not accept key bytes, but requires an opaque key of akv_provider \
                 (EVP_CipherInit_SKEY); for key bytes use the cipher of another provider",
            ));
        }
        ctx.init(ENCRYPTS, None, iv, params)
    }
}

entry! {
    fn skey_init<const ENCRYPTS: bool>(
        "cipher skey_init",
        ctx: &mut Context,
        key: Option<Arc<SymmetricObject>>,
        iv: Option<Bytes>,
        params: Params,
    ) -> Result<()> {
        ctx.init(ENCRYPTS, key, iv, params)
    }
}

entry! {
    /// libcrypto allows output and input to be the same buffer, so the input is copied first.
    fn update(
        "cipher update",
        ctx: &mut Context,
        out: Option<Output>,
        input: Bytes("data"),
    ) -> Result<()> {
        let input = Zeroizing::new(input.to_vec());
        ctx.update(out, &input)
    }
}

entry! {
    fn finish("cipher final", ctx: &mut Context, out: Option<Output>) -> Result<()> {
        ctx.finish(out)
    }
}

entry! {
    /// Called when the cipher is fetched, without a context: there is no host to report an error
    /// to.
    fn get_params<K: Known>("cipher get_params", answers: Answers) -> c_int, or 0 {
        K::CIPHER.answer(answers).is_ok().into()
    }
}

extern "C" fn gettable_params(_provctx: *mut c_void) -> *const Param {
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

entry! {
    fn get_ctx_params("cipher get_ctx_params", ctx: &Context, answers: Answers) -> Result<()> {
        ctx.answer(answers)
    }
}

extern "C" fn gettable_ctx_params(_ctx: *const c_void, _provctx: *mut c_void) -> *const Param {
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

entry! {
    fn set_ctx_params("cipher set_ctx_params", ctx: &mut Context, params: Params) -> Result<()> {
        ctx.set(params)
    }
}

extern "C" fn settable_ctx_params(_ctx: *const c_void, _provctx: *mut c_void) -> *const Param {
    static PARAMS: &[Param] = &[
        Param::describe(names::CIPHER_KEYLEN, DataType::UnsignedInteger),
        Param::describe_uint(names::CIPHER_PADDING),
        Param::END,
    ];
    PARAMS.as_ptr()
}
