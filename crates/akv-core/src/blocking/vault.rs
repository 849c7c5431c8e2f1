//! Vaults.

use std::collections::VecDeque;

use super::{AnyKey, VaultKey, block_on};
use crate::{KeyItem, KeyReference, NewKey, Result};

/// A vault; see [`crate::Vault`].
///
/// ```no_run
/// use akv_core::{Curve, NewKey, blocking::Client};
///
/// # fn example(client: Client) -> akv_core::Result<()> {
/// let vault = client.vault(&client.reference("vault:myVault:")?)?;
/// let key = vault.create("web", NewKey::ec(Curve::P256))?;
/// assert_eq!(key.reference().vault(), *vault.reference());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Vault(crate::Vault);

/// The keys of a vault or the versions of a key; see [`crate::KeyList`].
///
/// It is an iterator over the items, which requests pages as needed and ends after an error. Each
/// page is one operation with its own deadline.
///
/// ```no_run
/// # fn example(vault: akv_core::blocking::Vault) -> akv_core::Result<()> {
/// let keys = vault.list().collect::<akv_core::Result<Vec<_>>>()?;
/// let managed = keys.iter().filter(|key| key.attributes().managed()).count();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "no request is sent until an item is requested"]
pub struct KeyList {
    pub(super) list: crate::KeyList,
    pub(super) items: VecDeque<KeyItem>,
    pub(super) failed: bool,
}

impl Vault {
    /// The reference that names the vault.
    pub fn reference(&self) -> &KeyReference {
        self.0.reference()
    }

    /// The vault's keys; see [`crate::Vault::list`].
    ///
    /// ```no_run
    /// # fn example(client: akv_core::blocking::Client) -> akv_core::Result<()> {
    /// let vault = client.vault(&client.reference("vault:myVault:")?)?;
    /// for item in vault.list() {
    ///     let item = item?;
    ///     println!("{}, until {:?}", item.name(), item.attributes().expires());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self) -> KeyList {
        self.0.list().into()
    }

    /// The versions of a key; see [`crate::Vault::versions`].
    ///
    /// ```no_run
    /// # fn example(vault: akv_core::blocking::Vault) -> akv_core::Result<()> {
    /// let versions = vault.versions("web")?.collect::<akv_core::Result<Vec<_>>>()?;
    /// let newest = versions.iter().max_by_key(|version| version.attributes().created());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As that method.
    pub fn versions(&self, name: &str) -> Result<KeyList> {
        self.0.versions(name).map(KeyList::from)
    }

    /// Creates a key; see [`crate::Vault::create`].
    ///
    /// ```no_run
    /// # use akv_core::{Curve, NewKey};
    /// # fn example(vault: akv_core::blocking::Vault) -> akv_core::Result<()> {
    /// let key = vault.create("web", NewKey::ec(Curve::P256))?;
    /// assert_eq!(key.public_key().bits(), 256);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the async form.
    pub fn create<K: VaultKey>(&self, name: &str, key: NewKey<K>) -> Result<K::Blocking> {
        let (vault, name) = (self.0.clone(), name.to_owned());
        block_on(self.0.session(), async move { vault.create(&name, key).await })
            .map(K::Blocking::from)
    }

    /// Creates a new version of a key; see [`crate::Vault::rotate`].
    ///
    /// ```no_run
    /// # fn example(
    /// #     vault: akv_core::blocking::Vault, old: akv_core::blocking::Key,
    /// # ) -> akv_core::Result<()> {
    /// let new = vault.rotate("web")?;
    /// assert_ne!(new.version(), old.version()); // the old version still signs
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the async form.
    pub fn rotate(&self, name: &str) -> Result<AnyKey> {
        let (vault, name) = (self.0.clone(), name.to_owned());
        block_on(self.0.session(), async move { vault.rotate(&name).await }).map(AnyKey::from)
    }

    /// Deletes a key with all its versions; see [`crate::Vault::delete`].
    ///
    /// ```no_run
    /// # fn example(vault: akv_core::blocking::Vault) -> akv_core::Result<()> {
    /// vault.delete("old")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the async form.
    pub fn delete(&self, name: &str) -> Result<()> {
        let (vault, name) = (self.0.clone(), name.to_owned());
        block_on(self.0.session(), async move { vault.delete(&name).await })
    }

    /// Purges a deleted key permanently; see [`crate::Vault::purge`].
    ///
    /// ```no_run
    /// # fn example(vault: akv_core::blocking::Vault) -> akv_core::Result<()> {
    /// vault.purge("old")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the async form.
    pub fn purge(&self, name: &str) -> Result<()> {
        let (vault, name) = (self.0.clone(), name.to_owned());
        block_on(self.0.session(), async move { vault.purge(&name).await })
    }
}

impl From<crate::Vault> for Vault {
    fn from(vault: crate::Vault) -> Self {
        Self(vault)
    }
}

impl KeyList {
    /// The next page; see [`crate::KeyList::next_page`]. It does not contain items that the
    /// iterator has already returned.
    ///
    /// ```no_run
    /// # fn example(vault: akv_core::blocking::Vault) -> akv_core::Result<()> {
    /// let mut list = vault.list();
    /// while let Some(page) = list.next_page()? {
    ///     println!("{} keys", page.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the async form.
    pub fn next_page(&mut self) -> Result<Option<Vec<KeyItem>>> {
        let mut list = self.list.clone();
        let (list, page) = block_on(self.list.session(), async move {
            let page = list.next_page().await?;
            Ok((list, page))
        })?;
        self.list = list;
        Ok(page)
    }

    /// Whether the iterator certainly has no more items, determined without a request.
    pub fn is_finished(&self) -> bool {
        self.items.is_empty() && (self.failed || self.list.is_finished())
    }
}

impl From<crate::KeyList> for KeyList {
    fn from(list: crate::KeyList) -> Self {
        Self { list, items: VecDeque::new(), failed: false }
    }
}

impl Iterator for KeyList {
    type Item = Result<KeyItem>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.items.is_empty() && !self.failed {
            match self.next_page() {
                Ok(Some(page)) => self.items = page.into(),
                Ok(None) => return None,
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
        self.items.pop_front().map(Ok)
    }
}
