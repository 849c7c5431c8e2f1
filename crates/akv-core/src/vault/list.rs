//! Keys and versions, page by page.

use std::{collections::VecDeque, sync::Arc};

use azure_core::http::pager::{PagerContinuation, PagerOptions};
use azure_security_keyvault_keys::models::{
    KeyClientListKeyPropertiesOptions, KeyClientListKeyPropertiesVersionsOptions, KeyProperties,
};
use futures::{Stream, StreamExt, TryStreamExt, stream};

use crate::{
    Error, ErrorKind, KeyAttributes, KeyReference, Result,
    key::name_and_version,
    outside,
    session::{Kind, Session, VaultClient},
    transport::{Failure, failure, invalid_response},
};

/// An entry of a [`KeyList`].
///
/// ```no_run
/// # async fn example(client: akv_core::Client, vault: akv_core::Vault) -> akv_core::Result<()> {
/// for item in vault.versions("web")?.all().await? {
///     println!("{} {:?}", item.name(), item.version());
///     if item.attributes().enabled() {
///         let key = client.key(item.reference()).await?;
///         assert_eq!(Some(key.version()), item.version());
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct KeyItem {
    reference: KeyReference,
    attributes: KeyAttributes,
}

impl KeyItem {
    /// A reference that opens the key; in a list of versions, that version.
    pub fn reference(&self) -> &KeyReference {
        &self.reference
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        self.reference.key_name().expect("an item is made with a key's name")
    }

    /// The version, 32 hexadecimal digits, in a list of versions.
    pub fn version(&self) -> Option<&str> {
        self.reference.version()
    }

    /// The attributes of the version, or of the current one. The service's lists contain neither
    /// the type of a key nor its permitted operations.
    pub fn attributes(&self) -> &KeyAttributes {
        &self.attributes
    }

    fn read(item: KeyProperties, list: &KeyReference) -> Result<Self, String> {
        let kid = item.kid.as_deref().ok_or("an item without a key identifier")?;
        let (name, version) =
            name_and_version(kid).ok_or_else(|| format!("{kid:?} is not a key identifier"))?;
        let key = match list.key_name() {
            Some(requested) if !requested.eq_ignore_ascii_case(name) => {
                return Err("an item is for another key".to_owned());
            }
            _ => list.with_key(name).map_err(|error| error.message().to_owned())?,
        };
        let reference = match (list.key_name(), version) {
            (Some(_), None) => return Err("an item without a version".to_owned()),
            (Some(_), Some(version)) => key.pinned(&version),
            (None, _) => key,
        };
        let attributes = KeyAttributes::new(item.attributes, item.managed, item.tags);
        Ok(Self { reference, attributes })
    }
}

/// The keys of a vault or the versions of a key, in pages of the service's choice, 25 items or
/// fewer.
///
/// Each page is one operation with its own deadline and retries. Links between pages are followed
/// only on the vault's own server.
///
/// ```no_run
/// # async fn example(vault: akv_core::Vault) -> akv_core::Result<()> {
/// let mut list = vault.list();
/// while let Some(page) = list.next_page().await? {
///     println!("{} keys", page.len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "no request is sent until a page is requested"]
pub struct KeyList {
    session: Session,
    /// The vault, or the key whose versions are listed.
    reference: KeyReference,
    next: Next,
}

/// The location of the next page.
#[derive(Clone, Debug)]
enum Next {
    First,
    Link(PagerContinuation),
    End,
}

/// One page, as the official client parses it.
struct Page {
    items: Vec<KeyItem>,
    next: Next,
}

impl KeyList {
    pub(super) fn new(session: &Session, reference: &KeyReference) -> Self {
        Self { session: session.clone(), reference: reference.clone(), next: Next::First }
    }

    /// The next page; `None` after the last one. Pages may be empty. After an error the call can be
    /// repeated for the same page.
    ///
    /// ```no_run
    /// # async fn example(vault: akv_core::Vault) -> akv_core::Result<()> {
    /// let mut versions = vault.versions("web")?;
    /// let first = versions.next_page().await?.unwrap_or_default();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The service fails or refuses within the deadline, or its response is invalid.
    pub async fn next_page(&mut self) -> Result<Option<Vec<KeyItem>>> {
        let link = match &self.next {
            Next::First => None,
            Next::Link(link) => Some(link.clone()),
            Next::End => return Ok(None),
        };
        let (list, continuation) = (self.clone(), link.clone());
        let attempt = move |vault| {
            let (list, continuation) = (list.clone(), continuation.clone());
            async move { list.page(vault, continuation).await }
        };
        let page = self.session.read(&self.reference, Kind::ListKeys, attempt).await;
        let page = page.map_err(|error| error.during(self.doing()))?;
        if let (Next::Link(new), Some(old)) = (&page.next, &link)
            && new == old
        {
            let text = "the link to the next page points to the same page";
            return Err(Error::new(ErrorKind::Response, text).during(self.doing()));
        }
        self.next = page.next;
        Ok(Some(page.items))
    }

    /// Whether the last page was read.
    pub fn is_finished(&self) -> bool {
        matches!(self.next, Next::End)
    }

    /// The items one by one. Pages are requested as needed. The stream ends after an error.
    ///
    /// ```no_run
    /// use futures::TryStreamExt;
    ///
    /// # async fn example(vault: akv_core::Vault) -> akv_core::Result<()> {
    /// let enabled = vault.list().into_stream().try_filter(|key| {
    ///     std::future::ready(key.attributes().enabled())
    /// });
    /// let names: Vec<String> = enabled.map_ok(|key| key.name().to_owned()).try_collect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_stream(self) -> impl Stream<Item = Result<KeyItem>> + Send {
        stream::try_unfold((self, VecDeque::new()), |(mut list, mut items)| async move {
            loop {
                if let Some(item) = items.pop_front() {
                    return Ok(Some((item, (list, items))));
                }
                match list.next_page().await? {
                    Some(page) => items = page.into(),
                    None => return Ok(None),
                }
            }
        })
        .fuse()
    }

    /// All items. This takes one operation per page.
    ///
    /// ```no_run
    /// # async fn example(vault: akv_core::Vault) -> akv_core::Result<()> {
    /// let keys = vault.list().all().await?;
    /// let managed = keys.iter().filter(|key| key.attributes().managed()).count();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`next_page`](Self::next_page).
    pub async fn all(self) -> Result<Vec<KeyItem>> {
        self.into_stream().try_collect().await
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    async fn page(
        &self,
        vault: Arc<VaultClient>,
        continuation: Option<PagerContinuation>,
    ) -> Result<Page, Failure> {
        if let Some(PagerContinuation::Link(link)) = &continuation
            && link.origin() != vault.keys.endpoint().origin()
        {
            let text = format!("the response links to another server: {}", outside::server(link));
            return Err(Error::new(ErrorKind::Response, text).into());
        }
        let method_options = PagerOptions { continuation, ..PagerOptions::default() };
        let pager = match self.reference.key_name() {
            None => {
                let options = KeyClientListKeyPropertiesOptions {
                    method_options,
                    ..KeyClientListKeyPropertiesOptions::default()
                };
                vault.keys.list_key_properties(Some(options))
            }
            Some(name) => {
                let options = KeyClientListKeyPropertiesVersionsOptions {
                    method_options,
                    ..KeyClientListKeyPropertiesVersionsOptions::default()
                };
                vault.keys.list_key_properties_versions(name, Some(options))
            }
        };
        let failed = |error| failure(error, &self.reference, &vault.host);
        let mut pages = pager.map_err(failed)?.into_pages();
        let Some(answer) = pages.next().await else {
            return Err(invalid_response(&vault.host, "no page"));
        };
        let answer = answer.and_then(|answer| answer.into_model()).map_err(failed)?;
        let items = answer.value.into_iter().map(|item| KeyItem::read(item, &self.reference));
        let items: Result<_, String> = items.collect();
        let items = items.map_err(|why| invalid_response(&vault.host, &why))?;
        Ok(Page { items, next: pages.into_continuation().map_or(Next::End, Next::Link) })
    }

    fn doing(&self) -> String {
        match self.reference.key_name() {
            None => format!("list the keys of {}", self.reference),
            Some(_) => format!("list the versions of {}", self.reference),
        }
    }
}
