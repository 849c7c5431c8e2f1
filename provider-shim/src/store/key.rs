//! A key as data that libcrypto turns into an object, without another request.
//!
//! The data is that of a key file, which says less of a key than the vault did: whether it is in
//! hardware, for instance. The decoder, which libcrypto calls while it has the data, takes the key
//! itself instead.

use crate::key::{KeyType, OBJECT_PKEY};
use crate::provider::Provider;
use crate::symmetric;
use akv_core::KeyFile;
use akv_core::blocking::{AnyKey, Key};
use ossl_abi::names;
use ossl_abi::params::{ParamArray, Values};
use std::cell::RefCell;
use std::ptr;
use std::sync::Arc;

thread_local! {
    static ON_ITS_WAY: RefCell<Option<OnItsWay>> = const { RefCell::new(None) };
}

/// A key whose data this thread is handing over.
struct OnItsWay {
    provider: *const Provider,
    file: KeyFile,
    key: AnyKey,
}

/// Has [`on_its_way`] give this key as long as it lives.
pub(crate) struct HandOver;

impl HandOver {
    pub(crate) fn of(provider: &Arc<Provider>, key: AnyKey) -> Self {
        let file = key.key_file();
        ON_ITS_WAY.set(Some(OnItsWay { provider: Arc::as_ptr(provider), file, key }));
        Self
    }
}

impl Drop for HandOver {
    fn drop(&mut self) {
        ON_ITS_WAY.set(None);
    }
}

/// The key that is being handed over as this data.
pub(crate) fn on_its_way(provider: &Arc<Provider>, file: &KeyFile) -> Option<AnyKey> {
    ON_ITS_WAY.with_borrow(|on_its_way| {
        let same = |other: &&OnItsWay| {
            ptr::eq(other.provider, Arc::as_ptr(provider)) && other.file == *file
        };
        on_its_way.as_ref().filter(same).map(|other| other.key.clone())
    })
}

/// The key as its key file, for our own decoder.
pub(crate) fn private_key(key: &AnyKey) -> ParamArray {
    data(type_name(key), crate::decoder::STRUCTURE, &key.key_file().to_der())
}

/// The key's public half, for whichever decoder comes first.
pub(super) fn public_key(key: &Key) -> ParamArray {
    let public = key.public_key();
    data(KeyType::of(public).name(), "SubjectPublicKeyInfo", &public.to_spki_der())
}

fn type_name(key: &AnyKey) -> &'static str {
    match key {
        AnyKey::Asymmetric(key) => KeyType::of(key.public_key()).name(),
        AnyKey::Symmetric(_) => symmetric::NAME_TEXT,
    }
}

fn data(type_name: &str, structure: &str, der: &[u8]) -> ParamArray {
    Values::new()
        .int(names::OBJECT_TYPE, OBJECT_PKEY)
        .utf8(names::OBJECT_DATA_TYPE, type_name)
        .utf8(names::OBJECT_DATA_STRUCTURE, structure)
        .octets(names::OBJECT_DATA, der)
        .build()
}
