//! An open URI: what each load requests, and what it passes to the core.

use std::mem;
use std::sync::Arc;

use akv_core::blocking::{AnyKey, KeyList, SymmetricKey};
use akv_core::{Certificate, ErrorKind, KeyAttributes, KeyReference};
use ossl_abi::Host;
use ossl_abi::constants::{
    OBJECT_SKEY, STORE_INFO_CERT, STORE_INFO_NAME, STORE_INFO_PKEY, STORE_INFO_PUBKEY,
    STORE_INFO_SKEY,
};
use ossl_abi::entry::CoreCallback;
use ossl_abi::guard::Object;
use ossl_abi::params::ParamArray;

use super::request::{Answer, Request};
use super::{certificate, names};
use crate::error::{Error, Result};
use crate::handover::{self, Referred, WithData};
use crate::key::{SymmetricObject, no_public_half};
use crate::provider::Provider;

/// The type of object that the store's user expects (`OSSL_STORE_INFO_…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
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
    pub(super) fn from_raw(raw: i32) -> Self {
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
pub(super) struct Loader {
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
    pub(super) fn new(provider: Arc<Provider>, reference: KeyReference) -> Self {
        let (expected, next) = (Expected::Anything, Next::First);
        Self { provider, reference, expected, next, key: None }
    }

    pub(super) fn expect(&mut self, expected: Expected) {
        self.expected = expected;
    }

    pub(super) fn at_end(&self) -> bool {
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

    /// Starts the request for the next object.
    pub(super) fn start(&mut self) -> Result<Request> {
        let client = self.provider.client()?;
        Ok(match mem::replace(&mut self.next, Next::Failed) {
            Next::First if self.has_nothing() => Request::None(Answer::Nothing),
            Next::First if self.reference.key_name().is_none() => {
                Request::Name(Box::new(self.list()?).start_page()?)
            }
            Next::First => match self.expected {
                Expected::Certificate => {
                    Request::Certificate(client.start_certificate(&self.reference)?)
                }
                Expected::SymmetricKey => {
                    Request::OpaqueKey(client.start_symmetric_key(&self.reference)?)
                }
                _ => Request::Key(client.start_any_key(&self.reference)?),
            },
            Next::PublicHalf(key) => Request::None(Answer::PublicHalf(key)),
            Next::Certificate(reference) => {
                Request::CertificateOfKey(client.start_certificate(&reference)?)
            }
            Next::Name(list) => Request::Name(list.start_page()?),
            Next::Failed | Next::End => {
                self.next = Next::End;
                return Err(Error::Silent);
            }
        })
    }

    /// Passes what was requested to the core.
    pub(super) fn finish(&mut self, answer: Answer, callback: CoreCallback<'_>) -> Result<bool> {
        let (object, next) = match answer {
            Answer::Nothing => (None, Next::End),
            Answer::PublicHalf(key) => public_half(&key),
            Answer::Key(key) => self.loaded(key)?,
            Answer::OpaqueKey(key) => {
                let accepted = self.give_opaque(key, callback);
                self.next = Next::End;
                return Ok(accepted);
            }
            Answer::Certificate(found) => (Some(certificate::certificate(&found)), Next::End),
            Answer::CertificateOfKey(found) => (certificate_of_key(found)?, Next::End),
            Answer::Name(list) => name(list)?,
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

    fn loaded(&mut self, key: AnyKey) -> Result<(Option<ParamArray>, Next)> {
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
    fn give_opaque(&self, key: SymmetricKey, callback: CoreCallback<'_>) -> bool {
        let object = Arc::new(SymmetricObject::new(Arc::clone(&self.provider), key));
        handover::by_reference(Referred::Symmetric(object), OBJECT_SKEY, callback)
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

/// The next name of a list, which is known.
fn name(mut list: Box<KeyList>) -> Result<(Option<ParamArray>, Next)> {
    Ok(match list.next().transpose()? {
        Some(item) => (Some(names::name(&item)), Next::Name(list)),
        None => (None, Next::End),
    })
}

/// The certificate of a key that was loaded. If it does not exist or access is denied, the key is
/// still usable.
fn certificate_of_key(found: akv_core::Result<Certificate>) -> Result<Option<ParamArray>> {
    match found {
        Ok(found) => Ok(Some(certificate::certificate(&found))),
        Err(error) if matches!(error.status(), Some(403 | 404)) => {
            tracing::info!(%error, "the key comes without its certificate");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
