//! The store: URIs of keys in a vault.
//!
//! Opening a URI only reads it. The request is made by the load, when it is known what is
//! expected: libcrypto says so between the two.
//!
//! The key is handed over as data, which our own decoders turn back into it, and not as a
//! reference. With a reference libcrypto 3.0.0 to 3.0.5 goes to the key management of whichever
//! provider comes first (openssl/openssl#18221). Later ones fetch ours from us, and then give it
//! from their cache to whoever asks for a key management of that type; decoders fetch nothing.

use crate::error::{Error, Result};
use crate::key::{KeyType, OBJECT_PKEY};
use crate::provider::Provider;
use akv_core::KeyReference;
use akv_core::blocking::Key;
use ossl_abi::functions::store as id;
use ossl_abi::guard::{self, Object};
use ossl_abi::params::{ParamArray, Params, Values};
use ossl_abi::types::{Algorithm, Callback, DataType, Dispatch, Param, PassphraseCallback};
use ossl_abi::{Host, names};
use std::ffi::{c_char, c_int, c_void};
use std::sync::Arc;

macro_rules! scheme {
    ($name:literal, $description:literal) => {
        Algorithm::new($name, c"provider=akv_provider", TABLE, $description)
    };
}

/// Schemes; libcrypto compares them without case.
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

/// What the store's user expects (`OSSL_STORE_INFO_…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Anything,
    PublicKey,
    PrivateKey,
    /// Names, parameters, certificates, revocation lists: none of which a key URI has.
    Other,
}

impl Expected {
    fn from_raw(raw: i32) -> Self {
        match raw {
            0 => Self::Anything,
            3 => Self::PublicKey,
            4 => Self::PrivateKey,
            _ => Self::Other,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Once told that it is not at its end, so that libcrypto takes the failure for an error and
    /// not for an empty store; then at its end, so that nobody loads for ever.
    Failed,
    Done,
}

/// An open URI.
struct Loader {
    provider: Arc<Provider>,
    reference: KeyReference,
    expected: Expected,
    state: State,
}

impl Object for Loader {
    fn host(&self) -> &Host {
        self.provider.host()
    }
}

impl Loader {
    fn at_end(&mut self) -> bool {
        match self.state {
            State::Open => self.expected == Expected::Other,
            State::Failed => {
                self.state = State::Done;
                false
            }
            State::Done => true,
        }
    }

    fn fetch(&self) -> Result<Key> {
        Ok(self.provider.client()?.key(&self.reference)?)
    }

    /// Loads the key and hands it to the core.
    ///
    /// # Safety
    /// `callback` and `arg` are those that the core passed to the call that is going on.
    unsafe fn load(&mut self, callback: Callback, arg: *mut c_void) -> Result<bool> {
        if self.state != State::Open || self.expected == Expected::Other {
            self.state = State::Done;
            return Err(Error::Silent);
        }
        self.state = State::Failed;
        let key = self.fetch()?;
        let public_only = self.expected == Expected::PublicKey;
        let data = if public_only { public_data(&key) } else { key_file_data(&key) };
        // SAFETY: vouched for by the caller.
        unsafe { self.provider.introduce_others(callback, arg) };
        // SAFETY: vouched for by the caller; the array lives until the callback returns.
        let accepted = unsafe { callback(data.as_ptr(), arg) == 1 };
        if accepted {
            self.state = State::Done;
        }
        Ok(accepted)
    }
}

/// A key as data that our own decoder turns back into it, without another request.
fn key_file_data(key: &Key) -> ParamArray {
    Values::new()
        .int(names::OBJECT_TYPE, OBJECT_PKEY)
        .utf8(names::OBJECT_DATA_TYPE, KeyType::of(key.public_key()).name())
        .utf8(names::OBJECT_DATA_STRUCTURE, crate::decoder::STRUCTURE)
        .octets(names::OBJECT_DATA, &key.key_file().to_der())
        .build()
}

fn public_data(key: &Key) -> ParamArray {
    Values::new()
        .int(names::OBJECT_TYPE, OBJECT_PKEY)
        .utf8(names::OBJECT_DATA_TYPE, KeyType::of(key.public_key()).name())
        .utf8(names::OBJECT_DATA_STRUCTURE, "SubjectPublicKeyInfo")
        .octets(names::OBJECT_DATA, &key.public_key().to_spki_der())
        .build()
}

unsafe extern "C" fn open(provctx: *mut c_void, uri: *const c_char) -> *mut c_void {
    let body = |_: &Provider| -> Result<Box<Loader>> {
        // SAFETY: the guard has seen that it is not null; the core passes the provider context.
        let provider: Arc<Provider> = unsafe { guard::clone_arc(provctx) }.ok_or(Error::Silent)?;
        // SAFETY: the core passes a C string.
        let uri = unsafe { guard::text(uri) }
            .ok_or_else(|| Error::argument("the URI is not text in UTF-8"))?;
        let reference = provider.client()?.reference(uri)?;
        Ok(Box::new(Loader {
            provider,
            reference,
            expected: Expected::Anything,
            state: State::Open,
        }))
    };
    // SAFETY: the core passes the provider context.
    unsafe { guard::shared("store open", provctx, body) }
}

unsafe extern "C" fn settable_ctx_params(_provctx: *mut c_void) -> *const Param {
    static PARAMS: &[Param] = &[
        Param::describe(names::STORE_EXPECT, DataType::Integer),
        Param::describe(names::STORE_PROPERTIES, DataType::Utf8String),
        Param::describe(names::STORE_SUBJECT, DataType::OctetString),
        Param::END,
    ];
    PARAMS.as_ptr()
}

/// Search criteria are for certificates; a key URI names its one key.
unsafe extern "C" fn set_ctx_params(loader: *mut c_void, params: *const Param) -> c_int {
    let body = |loader: &mut Loader| -> Result<()> {
        // SAFETY: the core passes a parameter array.
        let params = unsafe { Params::from_ptr(params) };
        if let Some(value) = params.get(names::STORE_EXPECT) {
            loader.expected = Expected::from_raw(value.integer()?);
        }
        Ok(())
    };
    // SAFETY: the core passes our loader, which one thread uses at a time.
    unsafe { guard::exclusive("store set_ctx_params", loader, body) }
}

unsafe extern "C" fn load(
    loader: *mut c_void,
    callback: Option<Callback>,
    arg: *mut c_void,
    _passphrase: Option<PassphraseCallback>,
    _passphrase_arg: *mut c_void,
) -> c_int {
    let body = |loader: &mut Loader| -> Result<bool> {
        let callback = callback.ok_or_else(|| Error::null("callback"))?;
        // SAFETY: both are the core's, for this call.
        unsafe { loader.load(callback, arg) }
    };
    // SAFETY: the core passes our loader, which one thread uses at a time.
    unsafe { guard::exclusive("store load", loader, body) }
}

unsafe extern "C" fn eof(loader: *mut c_void) -> c_int {
    let body = |loader: &mut Loader| -> Result<bool> { Ok(loader.at_end()) };
    // SAFETY: the core passes our loader, which one thread uses at a time.
    unsafe { guard::exclusive("store eof", loader, body) }
}

unsafe extern "C" fn close(loader: *mut c_void) -> c_int {
    // SAFETY: the core gives back what `open` gave it.
    unsafe { guard::free_box::<Loader>(loader) };
    1
}
