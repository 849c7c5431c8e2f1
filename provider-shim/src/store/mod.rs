//! The store: URIs of vault keys, of their certificates, and of a vault's list of keys.
//!
//! Opening a URI only parses it. The request is sent by the first load, when the expected type is
//! known: libcrypto sets it in between. A list is requested page by page.
//!
//! A load waits for its request on the caller's stack, so that it pauses an ASYNC job.
//!
//! If no type is expected, the key comes first, then its public half, then its certificate. The
//! certificate is requested only if the vault reports that the key belongs to one, and is that of
//! the key's version.
//!
//! A key is passed on as data, from which our own decoders recreate it, and not by reference. With
//! a reference, libcrypto 3.0.0 to 3.0.5 use the key management of whichever provider comes first
//! (openssl/openssl#18221). Later releases fetch ours, and afterwards return it from their cache to
//! any caller that requests a key management of that type; decoders fetch nothing.

mod certificate;
mod loader;
mod names;
mod request;

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use ossl_abi::entry;
use ossl_abi::functions::store as id;
use ossl_abi::guard::deep;
use ossl_abi::names::{STORE_EXPECT, STORE_PROPERTIES};
use ossl_abi::types::{Algorithm, DataType, Dispatch, Param};

use self::loader::{Expected, Loader};
use crate::error::{Error, Result};
use crate::provider::Provider;

macro_rules! scheme {
    ($name:literal, $description:literal) => {
        Algorithm::new($name, c"provider=akv_provider", TABLE, $description)
    };
}

/// URI schemes; libcrypto compares them case-insensitively.
pub(crate) static ALGORITHMS: &[Algorithm] = &[
    scheme!(c"vault", c"Keys in Azure Key Vault: vault:NAME:KEY[:VERSION]"),
    scheme!(c"managedhsm", c"Keys in Azure Managed HSM: managedhsm:NAME:KEY[:VERSION]"),
    scheme!(c"akv", c"Keys in Azure: akv:type=TYPE,vault=NAME,name=KEY or akv:https://..."),
    scheme!(c"engine", c"Keys in Azure: engine:e_akv:TYPE:NAME:KEY"),
    Algorithm::END,
];

static TABLE: &[Dispatch] = &[
    id::OPEN.entry(open),
    id::SETTABLE_CTX_PARAMS.entry(settable_ctx_params),
    id::SET_CTX_PARAMS.entry(set_ctx_params),
    id::LOAD.entry(load),
    id::EOF.entry(eof),
    id::CLOSE.entry(close),
    Dispatch::END,
];

entry! {
    fn open(
        "store open",
        provider: &Arc<Provider>,
        uri: Option<Text>,
    ) -> Result<Box<Loader>> {
        let uri = uri.ok_or_else(|| Error::argument("the URI is null or not UTF-8"))?;
        let reference = provider.client()?.reference(uri)?;
        Ok(Box::new(Loader::new(Arc::clone(provider), reference)))
    }
}

extern "C" fn settable_ctx_params(_provctx: *mut c_void) -> *const Param {
    static PARAMS: &[Param] = &[
        Param::describe(STORE_EXPECT, DataType::Integer),
        Param::describe(STORE_PROPERTIES, DataType::Utf8String),
        Param::END,
    ];
    PARAMS.as_ptr()
}

entry! {
    /// There is no search criterion: a URI names one object, and lists contain only names.
    fn set_ctx_params(
        "store set_ctx_params",
        loader: &mut Loader,
        params: Params,
    ) -> Result<()> {
        if let Some(value) = params.get(STORE_EXPECT) {
            loader.expect(Expected::from_raw(value.integer()?));
        }
        Ok(())
    }
}

entry! {
    /// Success without an object means the end.
    fn load(
        "store load",
        loader: &mut Loader,
        callback: Callback("callback"),
        _passphrase: Passphrase,
    ) -> Result<bool>, waits {
        let answer = deep(|| loader.start())?.wait()?;
        deep(|| loader.finish(answer, callback))
    }
}

entry! {
    fn eof("store eof", loader: &Loader) -> c_int, or 1 {
        loader.at_end().into()
    }
}

entry! {
    fn close(loader: Box<Loader>) -> c_int = 1;
}
