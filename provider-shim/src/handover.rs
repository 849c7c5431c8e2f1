//! Passes keys between our operations through libcrypto.
//!
//! A store or decoder passes a key on as data or by reference. Before that call returns, libcrypto
//! passes it to one of our decoders or key managements, on the same thread. The object is therefore
//! kept in a thread-local variable, and no external value is ever used as an address.

use std::cell::RefCell;
use std::ptr;
use std::sync::Arc;

use akv_core::KeyFile;
use akv_core::blocking::{AnyKey, Key};
use ossl_abi::constants::OBJECT_PKEY;
use ossl_abi::entry::CoreCallback;
use ossl_abi::names;
use ossl_abi::params::{ParamArray, Values};

use crate::error::Result;
use crate::key::{AKV_AES, KeyObject, SymmetricObject};
use crate::key_type::KeyType;
use crate::provider::Provider;

/// libcrypto's name for the structure of a key file in DER.
pub(crate) const STRUCTURE: &str = "akv";

thread_local! {
    static REFERRED: RefCell<Option<Referred>> = const { RefCell::new(None) };
    static LOADED: RefCell<Option<Loaded>> = const { RefCell::new(None) };
}

/// An object that this thread is passing on by reference.
#[derive(Clone)]
pub(crate) enum Referred {
    Pair(Arc<KeyObject>),
    Symmetric(Arc<SymmetricObject>),
}

impl Referred {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Pair(key) => key.kind().name(),
            Self::Symmetric(_) => text(AKV_AES),
        }
    }

    /// Identifies the object; it is never dereferenced.
    fn reference(&self) -> [u8; size_of::<usize>()] {
        let address = match self {
            Self::Pair(key) => Arc::as_ptr(key).addr(),
            Self::Symmetric(key) => Arc::as_ptr(key).addr(),
        };
        address.to_ne_bytes()
    }
}

/// Calls back with a reference to an object. libcrypto passes the reference to one of our functions
/// before the call returns.
pub(crate) fn by_reference(object: Referred, object_type: i32, callback: CoreCallback<'_>) -> bool {
    let description = Values::new()
        .int(names::OBJECT_TYPE, object_type)
        .utf8(names::OBJECT_DATA_TYPE, object.type_name())
        .octets(names::OBJECT_REFERENCE, &object.reference())
        .build();
    let before = REFERRED.replace(Some(object));
    let taken = callback.call(description.params());
    REFERRED.set(before);
    taken
}

/// The object that is being passed on with this reference.
pub(crate) fn referred(bytes: &[u8]) -> Option<Referred> {
    REFERRED.with_borrow(|object| object.clone().filter(|object| object.reference() == bytes))
}

/// A key whose data this thread is passing on.
struct Loaded {
    provider: *const Provider,
    file: KeyFile,
    key: AnyKey,
}

/// Makes [`loaded`] return this key while the value lives. The data is that of a key file, which
/// contains less than what the vault returned, such as whether the key is in hardware.
pub(crate) struct WithData;

impl WithData {
    pub(crate) fn of(provider: &Arc<Provider>, key: AnyKey) -> Self {
        let file = key.key_file();
        LOADED.set(Some(Loaded { provider: Arc::as_ptr(provider), file, key }));
        Self
    }
}

impl Drop for WithData {
    fn drop(&mut self) {
        LOADED.set(None);
    }
}

/// The key that is being passed on as this data.
pub(crate) fn loaded(provider: &Arc<Provider>, file: &KeyFile) -> Option<AnyKey> {
    LOADED.with_borrow(|loaded| {
        let same =
            |other: &&Loaded| ptr::eq(other.provider, Arc::as_ptr(provider)) && other.file == *file;
        loaded.as_ref().filter(same).map(|other| other.key.clone())
    })
}

/// A key in the form of a key file, for our own decoder.
pub(crate) fn private_key(key: &AnyKey) -> Result<ParamArray> {
    let type_name = match key {
        AnyKey::Asymmetric(key) => KeyType::of(key.public_key())?.name(),
        AnyKey::Symmetric(_) => text(AKV_AES),
    };
    Ok(data(type_name, STRUCTURE, &key.key_file().to_der()))
}

/// A key's public half, for any decoder.
pub(crate) fn public_key(key: &Key) -> Result<ParamArray> {
    let public = key.public_key();
    Ok(data(KeyType::of(public)?.name(), "SubjectPublicKeyInfo", &public.to_spki_der()))
}

fn data(type_name: &str, structure: &str, der: &[u8]) -> ParamArray {
    Values::new()
        .int(names::OBJECT_TYPE, OBJECT_PKEY)
        .utf8(names::OBJECT_DATA_TYPE, type_name)
        .utf8(names::OBJECT_DATA_STRUCTURE, structure)
        .octets(names::OBJECT_DATA, der)
        .build()
}

fn text(name: &'static std::ffi::CStr) -> &'static str {
    name.to_str().expect("names are ASCII")
}
