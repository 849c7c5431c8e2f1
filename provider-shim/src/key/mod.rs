//! Key objects for libcrypto.

mod parts;
mod symmetric;

pub(crate) use self::parts::public_parts;
pub(crate) use self::symmetric::{AKV_AES, SymmetricObject, no_public_half};

use std::sync::{Arc, OnceLock};

use akv_core::blocking::Key;
use akv_core::{Curve, EcPublicKey, PublicKey};
use ossl_abi::Host;
use ossl_abi::guard::Object;

use crate::error::{Error, Result};
use crate::foreign::ForeignKey;
use crate::key_type::KeyType;
use crate::provider::Provider;
use crate::selection::Selection;

/// The content of a key object.
pub(crate) enum Material {
    /// A key in a vault, and its public half.
    Vault(Key),
    /// A public key: imported, or the public half of a key in a vault.
    Public(PublicKey),
    /// Domain parameters of an EC key, and the public half if it is set later.
    Group(Curve, OnceLock<PublicKey>),
    /// A key of another provider.
    Foreign(ForeignKey),
}

impl Material {
    /// Domain parameters without a key.
    pub(crate) fn group(curve: Curve) -> Self {
        Self::Group(curve, OnceLock::new())
    }
}

/// Performs private-key operations.
pub(crate) enum Private<'a> {
    Vault(&'a Key),
    Foreign(&'a ForeignKey),
}

/// A key object. libcrypto shares it between threads. It is filled once; after that, only the
/// public half of a group and the parameters of a foreign key can be set.
pub(crate) struct KeyObject {
    provider: Arc<Provider>,
    kind: KeyType,
    material: OnceLock<Material>,
    /// The public half as a key of another provider; see [`Self::public_delegate`].
    public_delegate: OnceLock<ForeignKey>,
}

impl Object for KeyObject {
    fn host(&self) -> &Host {
        self.provider.host()
    }
}

impl KeyObject {
    /// An empty object for an import.
    pub(crate) fn empty(provider: Arc<Provider>, kind: KeyType) -> Self {
        Self { provider, kind, material: OnceLock::new(), public_delegate: OnceLock::new() }
    }

    pub(crate) fn new(provider: Arc<Provider>, kind: KeyType, material: Material) -> Self {
        let material = OnceLock::from(material);
        Self { provider, kind, material, public_delegate: OnceLock::new() }
    }

    /// A key in a vault.
    pub(crate) fn vault(provider: Arc<Provider>, kind: KeyType, key: Key) -> Self {
        Self::new(provider, kind, Material::Vault(key))
    }

    /// A copy of a foreign key, or of parts of it.
    pub(crate) fn part_of(&self, key: &ForeignKey, selection: Selection) -> Result<Arc<Self>> {
        let provider = Arc::clone(&self.provider);
        Ok(Arc::new(match key.part(selection)? {
            Some(part) => Self::new(provider, self.kind, Material::Foreign(part)),
            None => Self::empty(provider, self.kind),
        }))
    }

    /// Fills an empty object; returns `false` if it is not empty.
    pub(crate) fn fill(&self, material: Material) -> bool {
        self.material.set(material).is_ok()
    }

    pub(crate) fn provider(&self) -> &Arc<Provider> {
        &self.provider
    }

    pub(crate) fn kind(&self) -> KeyType {
        self.kind
    }

    pub(crate) fn vault_key(&self) -> Option<&Key> {
        match self.material.get()? {
            Material::Vault(key) => Some(key),
            _ => None,
        }
    }

    pub(crate) fn foreign(&self) -> Option<&ForeignKey> {
        match self.material.get()? {
            Material::Foreign(key) => Some(key),
            _ => None,
        }
    }

    /// The key of another provider that performs public-key operations. `None` if they are
    /// performed locally.
    pub(crate) fn public_delegate(&self) -> Option<&ForeignKey> {
        if self.foreign().is_some() || !self.provider.fips() {
            return self.foreign();
        }
        if self.public_delegate.get().is_none() {
            // Another thread may have been faster, with the same value.
            _ = self.public_delegate.set(parts::import_public(self)?);
        }
        self.public_delegate.get()
    }

    pub(crate) fn public_key(&self) -> Option<&PublicKey> {
        match self.material.get()? {
            Material::Vault(key) => Some(key.public_key()),
            Material::Public(key) => Some(key),
            Material::Group(_, public) => public.get(),
            Material::Foreign(key) => key.public(),
        }
    }

    pub(crate) fn curve(&self) -> Option<Curve> {
        match (self.material.get()?, self.public_key()) {
            (Material::Group(curve, _), _) => Some(*curve),
            (Material::Foreign(key), _) => key.curve(),
            (_, Some(PublicKey::Ec(key))) => Some(key.curve()),
            _ => None,
        }
    }

    /// The public half, or an error if there is none.
    pub(crate) fn require_public(&self) -> Result<&PublicKey> {
        self.public_key().ok_or_else(|| {
            if self.foreign().is_some_and(ForeignKey::has_public) {
                return Error::unsupported(
                    "akv_provider supports only public keys of sizes and curves that vaults support",
                );
            }
            Error::argument("the key object is empty")
        })
    }

    /// The private key, or an error if there is none.
    pub(crate) fn private(&self) -> Result<Private<'_>> {
        match self.material.get() {
            Some(Material::Vault(key)) => Ok(Private::Vault(key)),
            Some(Material::Foreign(key)) if key.has_private() => Ok(Private::Foreign(key)),
            _ => Err(Error::argument(
                "this is a public key: signing and decryption require a key loaded from a \
                 vault or from a key file",
            )),
        }
    }

    /// Sets the public half of a group (`EVP_PKEY_set1_encoded_public_key`).
    pub(crate) fn set_public(&self, point: &[u8]) -> Result<()> {
        if let Some(Material::Group(curve, public)) = self.material.get()
            && let Ok(key) = EcPublicKey::from_point(*curve, point)
            && public.set(PublicKey::Ec(key)).is_ok()
        {
            return Ok(());
        }
        match self.public_key() {
            Some(PublicKey::Ec(key)) if key.point() == point => Ok(()),
            Some(_) => Err(Error::argument("this key already has another public half")),
            None => Err(Error::argument("this is not a public key of the group")),
        }
    }
}
