//! Key wrap (RFC 3394) through the functions for asymmetric encryption: `openssl pkeyutl -encrypt`
//! and `-decrypt`.

use std::ffi::{CStr, c_void};
use std::sync::Arc;

use akv_core::KeyWrapAlgorithm;
use ossl_abi::functions::asym_cipher as id;
use ossl_abi::guard::Object;
use ossl_abi::params::Params;
use ossl_abi::types::{Algorithm, DataType, Dispatch, Param};
use ossl_abi::{Host, entry};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::key::{AKV_AES, SymmetricObject};
use crate::provider::Provider;

/// The service's algorithm name, for callers that know the key size.
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

/// The state of an operation.
#[derive(Clone)]
struct Context {
    provider: Arc<Provider>,
    key: Option<Arc<SymmetricObject>>,
    /// If not set, it is determined from the key.
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

entry! {
    fn newctx("asym_cipher newctx", provider: &Arc<Provider>) -> Result<Box<Context>> {
        Ok(Box::new(Context { provider: Arc::clone(provider), key: None, algorithm: None }))
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
    /// Starts either direction, with this key or the current one.
    fn init(
        "asym_cipher init",
        ctx: &mut Context,
        key: Option<Arc<SymmetricObject>>,
        params: Params,
    ) -> Result<()> {
        ctx.key = key.or_else(|| ctx.key.take());
        ctx.algorithm = None;
        ctx.key()?;
        ctx.set(params)
    }
}

entry! {
    fn encrypt(
        "asym_cipher encrypt",
        ctx: &mut Context,
        out: Output("place for the output's length"),
        input: Input("data"),
    ) -> Result<()> {
        let max_len = KeyWrapAlgorithm::wrapped_len(input.len())?;
        out.produce(max_len, || ctx.wrap(input.bytes()?))
    }
}

entry! {
    fn decrypt(
        "asym_cipher decrypt",
        ctx: &mut Context,
        out: Output("place for the output's length"),
        input: Input("data"),
    ) -> Result<()> {
        let max_len = KeyWrapAlgorithm::unwrapped_len(input.len())?;
        out.produce(max_len, || ctx.unwrap(input.bytes()?))
    }
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
    static PARAMS: &[Param] = &[Param::describe(PARAMETER, DataType::Utf8String), Param::END];
    PARAMS.as_ptr()
}
