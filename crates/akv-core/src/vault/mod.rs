//! Vaults: listing, creating, rotating and deleting keys.

mod certificate;
mod change;
mod delete;
mod list;
mod new_key;

pub use self::{
    certificate::Certificate,
    list::{KeyItem, KeyList},
    new_key::{AesSize, NewKey, RsaSize},
};

pub(crate) use self::certificate::certificate;
#[cfg(test)]
pub(crate) use self::certificate::read_answer as read_certificate;

use crate::{Error, ErrorKind, KeyReference, Result, session::Session};

/// A vault or Managed HSM. Cheap to clone.
///
/// ```no_run
/// use akv_core::{Client, Curve, NewKey, Settings};
/// use futures::TryStreamExt;
///
/// # async fn example() -> akv_core::Result<()> {
/// let client = Client::new(Settings::from_environment()?);
/// let vault = client.vault(&client.reference("vault:myVault:")?)?;
/// let key = vault.create("web", NewKey::ec(Curve::P256).tag("owner", "www")).await?;
/// assert_eq!(key.reference().vault(), *vault.reference());
///
/// let mut keys = std::pin::pin!(vault.list().into_stream());
/// while let Some(item) = keys.try_next().await? {
///     println!("{} {}", item.name(), item.attributes().enabled());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Vault {
    session: Session,
    reference: KeyReference,
}

impl Vault {
    pub(crate) fn new(session: &Session, reference: &KeyReference) -> Result<Self> {
        if reference.key_name().is_some() {
            let text = format!("{reference} names a key where a vault is expected");
            return Err(Error::new(ErrorKind::Reference, text)
                .hint(format!("omit the key's name: {}", reference.vault())));
        }
        Ok(Self { session: session.clone(), reference: reference.clone() })
    }

    /// The reference that names the vault.
    pub fn reference(&self) -> &KeyReference {
        &self.reference
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// The vault's keys, in the service's order, without deleted ones. No request is sent before
    /// the first page is requested.
    ///
    /// ```no_run
    /// # async fn example(vault: akv_core::Vault) -> akv_core::Result<()> {
    /// for key in vault.list().all().await? {
    ///     println!("{}, until {:?}", key.name(), key.attributes().expires());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self) -> KeyList {
        KeyList::new(&self.session, &self.reference)
    }

    /// The versions of a key, in the service's order, which is not that of their age: use
    /// [`KeyAttributes::created`](crate::KeyAttributes::created) for that. No request is sent
    /// before the first page is requested.
    ///
    /// ```no_run
    /// # async fn example(vault: akv_core::Vault) -> akv_core::Result<()> {
    /// let versions = vault.versions("web")?.all().await?;
    /// let newest = versions.iter().max_by_key(|version| version.attributes().created());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `name` is not a valid key name.
    pub fn versions(&self, name: &str) -> Result<KeyList> {
        Ok(KeyList::new(&self.session, &self.reference.with_key(name)?))
    }
}
