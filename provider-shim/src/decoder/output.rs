//! What the core gets for a key file: its data, or the key.

use std::sync::Arc;

use akv_core::KeyFile;
use akv_core::blocking::{AnyKey, Pending};
use ossl_abi::constants::OBJECT_PKEY;
use ossl_abi::entry::CoreCallback;

use crate::error::Result;
use crate::handover::{self, Referred, WithData};
use crate::key::{KeyObject, SymmetricObject};
use crate::key_type::KeyType;
use crate::provider::Provider;

/// What the core gets for a key file.
pub(super) trait Output {
    /// Starts loading the key. `None` if it is not for this decoder.
    fn start(provider: &Arc<Provider>, file: &KeyFile) -> Result<Option<Pending<AnyKey>>>;

    /// Passes on the key. `Ok(true)` also means "continue".
    fn give(
        provider: &Arc<Provider>,
        file: &KeyFile,
        key: AnyKey,
        callback: CoreCallback<'_>,
    ) -> Result<bool>;
}

/// A complete key file in DER. It is completed here, because libcrypto's store drops errors of later
/// decoders.
pub(super) struct Der;

impl Output for Der {
    fn start(provider: &Arc<Provider>, file: &KeyFile) -> Result<Option<Pending<AnyKey>>> {
        Ok(Some(provider.client()?.start_any_key_from_file(file)?))
    }

    fn give(
        provider: &Arc<Provider>,
        file: &KeyFile,
        key: AnyKey,
        callback: CoreCallback<'_>,
    ) -> Result<bool> {
        let description = handover::private_key(&key)?;
        // If the file had to be completed, the key is kept, so that it need not be requested again.
        let _key = file.public_key().is_none().then(|| WithData::of(provider, key));
        Ok(callback.call(description.params()))
    }
}

pub(super) trait Keys {
    /// The type of the public half; `None` for symmetric keys.
    const TYPE: Option<KeyType>;
}

pub(super) struct RsaKeys;

impl Keys for RsaKeys {
    const TYPE: Option<KeyType> = Some(KeyType::Rsa);
}

pub(super) struct EcKeys;

impl Keys for EcKeys {
    const TYPE: Option<KeyType> = Some(KeyType::Ec);
}

pub(super) struct SymmetricKeys;

impl Keys for SymmetricKeys {
    const TYPE: Option<KeyType> = None;
}

/// The key itself, unless it has another type.
impl<K: Keys> Output for K {
    fn start(provider: &Arc<Provider>, file: &KeyFile) -> Result<Option<Pending<AnyKey>>> {
        if file.public_key().is_some_and(|key| KeyType::of(key).ok() != K::TYPE) {
            return Ok(None);
        }
        Ok(Some(match handover::loaded(provider, file) {
            Some(key) => key.into(),
            None => provider.client()?.start_any_key_from_file(file)?,
        }))
    }

    fn give(
        provider: &Arc<Provider>,
        _file: &KeyFile,
        key: AnyKey,
        callback: CoreCallback<'_>,
    ) -> Result<bool> {
        let provider = Arc::clone(provider);
        let object = match (key, K::TYPE) {
            (AnyKey::Asymmetric(key), Some(kind)) if KeyType::of(key.public_key())? == kind => {
                Referred::Pair(Arc::new(KeyObject::vault(provider, kind, key)))
            }
            (AnyKey::Symmetric(key), None) => {
                Referred::Symmetric(Arc::new(SymmetricObject::new(provider, key)))
            }
            _ => return Ok(true),
        };
        Ok(handover::by_reference(object, OBJECT_PKEY, callback))
    }
}
