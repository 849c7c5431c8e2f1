//! The store: URIs of vault keys, of their certificates, and of a vault's list of keys.
//!
//! Opening a URI only parses it. The request is sent by the first load, when the expected type is
//! known: libcrypto sets it in between. A list is requested page by page.
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
mod names;

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use akv_core::blocking::{AnyKey, KeyList};
use akv_core::{ErrorKind, KeyAttributes, KeyReference};
use ossl_abi::constants::{
    OBJECT_SKEY, STORE_INFO_CERT, STORE_INFO_NAME, STORE_INFO_PKEY, STORE_INFO_PUBKEY,
    STORE_INFO_SKEY,
};
use ossl_abi::entry::CoreCallback;
use ossl_abi::functions::store as id;
use ossl_abi::guard::Object;
use ossl_abi::names::{STORE_EXPECT, STORE_PROPERTIES};
use ossl_abi::params::ParamArray;
use ossl_abi::types::{Algorithm, DataType, Dispatch, Param};
use ossl_abi::{Host, entry};

use crate::error::{Error, Result};
use crate::handover::{self, Referred, WithData};
use crate::key::{SymmetricObject, no_public_half};
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

/// The type of object that the store's user expects (`OSSL_STORE_INFO_…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Anything,
    Name,
    PublicKey,
    PrivateKey,
    Certificate,
    /// Supported since OpenSSL 4.0.
    SymmetricKey,
    /// Parameters and CRLs, which vaults do not have.
    Other,
}

impl Expected {
    fn from_raw(raw: i32) -> Self {
        match raw {
            0 => Self::Anything,
            STORE_INFO_NAME => Self::Name,
            STORE_INFO_PUBKEY => Self::PublicKey,
            STORE_INFO_PKEY => Self::PrivateKey,
            STORE_INFO_CERT => Self::Certificate,
            STORE_INFO_SKEY => Self::SymmetricKey,
            _ => Self::Other,
        }
    }
}

/// What the next load returns.
enum Next {
    /// The first object; no request has been sent.
    First,
    /// The public half of the key that was the first object; after it, the key's certificate if
    /// there is one.
    PublicHalf(Box<AnyKey>),
    /// The certificate of the key that was the first object. The reference has the key's version.
    Certificate(KeyReference),
    /// The next name of a vault's list.
    Name(Box<KeyList>),
    /// A load has failed. This is not the end until the next load, so that the failure is not taken
    /// for an empty store. After that it is, so that callers do not loop forever.
    Failed,
    End,
}

/// An open URI.
struct Loader {
    provider: Arc<Provider>,
    reference: KeyReference,
    expected: Expected,
    next: Next,
    /// The key that the next object belongs to.
    key: Option<AnyKey>,
}

impl Object for Loader {
    fn host(&self) -> &Host {
        self.provider.host()
    }
}

impl Loader {
    fn at_end(&self) -> bool {
        match &self.next {
            Next::First => self.has_nothing(),
            Next::PublicHalf(_) | Next::Certificate(_) => false,
            Next::Name(list) => list.is_finished(),
            Next::Failed => false,
            Next::End => true,
        }
    }

    /// Whether a key has no object of the expected type.
    fn has_nothing(&self) -> bool {
        let of_key = !matches!(self.expected, Expected::Name | Expected::Other);
        self.reference.key_name().is_some() && !of_key
    }

    /// Loads the next object and passes it to the core. Success without an object means the end.
    fn load(&mut self, callback: CoreCallback<'_>) -> Result<bool> {
        let (object, next) = match std::mem::replace(&mut self.next, Next::Failed) {
            Next::First if self.has_nothing() => (None, Next::End),
            Next::First if self.reference.key_name().is_some() => match self.expected {
                Expected::Certificate => self.certificate()?,
                Expected::SymmetricKey => {
                    let accepted = self.opaque_key(callback)?;
                    self.next = Next::End;
                    return Ok(accepted);
                }
                _ => self.key()?,
            },
            Next::PublicHalf(key) => public_half(&key),
            Next::Certificate(reference) => self.certificate_of_key(&reference)?,
            Next::First => name(Box::new(self.list()?))?,
            Next::Name(list) => name(list)?,
            Next::Failed | Next::End => {
                self.next = Next::End;
                return Err(Error::Silent);
            }
        };
        let accepted = match object {
            Some(object) => self.hand_over(&object, callback),
            None => true,
        };
        if accepted {
            self.next = next;
        }
        Ok(accepted)
    }

    fn hand_over(&mut self, object: &ParamArray, callback: CoreCallback<'_>) -> bool {
        self.provider.register_others(callback);
        let _key = self.key.take().map(|key| WithData::of(&self.provider, key));
        self.host().attempt(|| callback.call(object.params()))
    }

    fn key(&mut self) -> Result<(Option<ParamArray>, Next)> {
        let key = self.provider.client()?.any_key(&self.reference)?;
        let object = match (self.expected, &key) {
            (Expected::PublicKey, AnyKey::Asymmetric(key)) => handover::public_key(key)?,
            (Expected::PublicKey, AnyKey::Symmetric(_)) => {
                return Err(no_public_half(&self.reference));
            }
            _ => handover::private_key(&key)?,
        };
        let next = match (self.expected, &key) {
            (Expected::Anything, AnyKey::Asymmetric(_)) => Next::PublicHalf(Box::new(key.clone())),
            _ => Next::End,
        };
        self.key = Some(key);
        Ok((Some(object), next))
    }

    /// Passes on a symmetric key as an `EVP_SKEY`. libcrypto creates it from a reference, with the
    /// key management of this provider.
    fn opaque_key(&self, callback: CoreCallback<'_>) -> Result<bool> {
        let key = self.provider.client()?.symmetric_key(&self.reference)?;
        let object = Arc::new(SymmetricObject::new(Arc::clone(&self.provider), key));
        Ok(handover::by_reference(Referred::Symmetric(object), OBJECT_SKEY, callback))
    }

    fn certificate(&self) -> Result<(Option<ParamArray>, Next)> {
        let certificate = self.provider.client()?.certificate(&self.reference)?;
        Ok((Some(certificate::certificate(&certificate)), Next::End))
    }

    /// The certificate of a key that was loaded. If it does not exist or access is denied, the key
    /// is still usable.
    fn certificate_of_key(&self, key: &KeyReference) -> Result<(Option<ParamArray>, Next)> {
        let object = match self.provider.client()?.certificate(key) {
            Ok(certificate) => Some(certificate::certificate(&certificate)),
            Err(error) if matches!(error.status(), Some(403 | 404)) => {
                tracing::info!(%error, "the key comes without its certificate");
                None
            }
            Err(error) => return Err(error.into()),
        };
        Ok((object, Next::End))
    }

    /// The vault's list of keys. No request is sent yet.
    fn list(&self) -> Result<KeyList> {
        if matches!(self.expected, Expected::Anything | Expected::Name) {
            return Ok(self.provider.client()?.vault(&self.reference)?.list());
        }
        let message = format!(
            "{} names a vault's list of keys, where one key is expected; add the key's name, as \
             in {}KEY",
            self.reference,
            self.reference.vault()
        );
        Err(Error::Raised(ErrorKind::Reference, message))
    }
}

/// The public half of a loaded key, for programs that expect both halves as separate objects
/// (BIND). Also determines whether the certificate comes next.
fn public_half(key: &AnyKey) -> (Option<ParamArray>, Next) {
    let managed = key.attributes().is_some_and(KeyAttributes::managed);
    let next = match managed {
        true => Next::Certificate(key.pinned_reference().clone()),
        false => Next::End,
    };
    match key {
        AnyKey::Asymmetric(key) => (handover::public_key(key).ok(), next),
        AnyKey::Symmetric(_) => (None, next),
    }
}

/// The next name of a list. Requests the next page if necessary.
fn name(mut list: Box<KeyList>) -> Result<(Option<ParamArray>, Next)> {
    Ok(match list.next().transpose()? {
        Some(item) => (Some(names::name(&item)), Next::Name(list)),
        None => (None, Next::End),
    })
}

entry! {
    fn open(
        "store open",
        provider: &Arc<Provider>,
        uri: Option<Text>,
    ) -> Result<Box<Loader>> {
        let uri = uri.ok_or_else(|| Error::argument("the URI is null or not UTF-8"))?;
        let reference = provider.client()?.reference(uri)?;
        Ok(Box::new(Loader {
            provider: Arc::clone(provider),
            reference,
            expected: Expected::Anything,
            next: Next::First,
            key: None,
        }))
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
            loader.expected = Expected::from_raw(value.integer()?);
        }
        Ok(())
    }
}

entry! {
    fn load(
        "store load",
        loader: &mut Loader,
        callback: Callback("callback"),
        _passphrase: Passphrase,
    ) -> Result<bool> {
        loader.load(callback)
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
