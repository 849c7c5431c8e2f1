//! Keys in a vault, each at one version.

mod any;
mod attributes;
mod bundle;
mod cbc;
mod cipher;
mod handle;
mod id;
mod key_exchange;
mod key_file;
mod prepared;
mod request;
mod sign;
mod symmetric;
mod wrap;

pub use self::{
    any::{AnyKey, VaultKey},
    attributes::{KeyAttributes, KeyOperation, KeyType},
    cbc::CbcStream,
    id::KeyId,
    key_file::KeyFile,
    symmetric::{GcmCiphertext, SymmetricKey},
};
pub(crate) use self::{
    any::{from_bundle, load},
    bundle::{Bundle, is_version, name_and_version},
    handle::key_name,
};
#[cfg(any(test, fuzzing))]
pub(crate) use self::{bundle::Material, request::read_result};

use std::{fmt, ops::Deref, sync::Arc};

use self::handle::Handle;
use crate::{Error, ErrorKind, PublicKey, Result, Settings, session::Session};

/// A key pair, RSA or elliptic curve, whose private half is in a vault. Cheap to clone and usable
/// from many threads.
///
/// The version is pinned: a reference without one is resolved when the key is opened, and every
/// later operation uses that version, so that a rotation in the vault does not break a server
/// whose certificate belongs to the old one.
///
/// Operations with the private half send a request: [`sign`](Self::sign),
/// [`decrypt`](Self::decrypt), [`unwrap_key`](Self::unwrap_key), and also
/// [`wrap_key`](Self::wrap_key). Operations with the public half are local:
/// [`verify`](Self::verify) and [`encrypt`](Self::encrypt).
///
/// ```no_run
/// use akv_core::{Client, EncryptionAlgorithm::RsaOaep256, Settings};
///
/// # async fn example() -> akv_core::Result<()> {
/// let client = Client::new(Settings::from_environment()?);
/// let key = client.key(&client.reference("vault:myVault:myKey")?).await?;
/// assert_eq!(key.reference().version(), None); // as it was opened
/// assert_eq!(key.pinned_reference().version(), Some(key.version()));
/// assert!(key.attributes().is_some_and(|attributes| attributes.enabled()));
///
/// let wrapped = key.encrypt(RsaOaep256, b"a data key")?;
/// assert_eq!(wrapped.len() * 8, key.public_key().bits());
/// assert_eq!(*key.unwrap_key(RsaOaep256, &wrapped).await?, b"a data key");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Key(Arc<Inner>);

struct Inner {
    handle: Handle,
    public_key: PublicKey,
}

impl Key {
    /// The public half; [`PublicKey::to_spki_der`] is the encoding that most formats use.
    pub fn public_key(&self) -> &PublicKey {
        &self.0.public_key
    }

    /// The key file (handle) of this key, with version and public half, so that loading it sends no
    /// request.
    ///
    /// ```no_run
    /// # async fn example(client: akv_core::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let key = client.key(&client.reference("vault:myVault:myKey")?).await?;
    /// std::fs::write("site.key", key.key_file().to_pem())?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn key_file(&self) -> KeyFile {
        KeyFile::new(self.pinned_reference(), Some(self.0.public_key.clone()))
    }

    /// The key of a file, requested unless the file is complete.
    pub(crate) async fn from_file(session: &Session, file: &KeyFile) -> Result<Self> {
        if let Some(key) = Self::from_complete_file(session, file)? {
            return Ok(key);
        }
        let reference = session.settings().reference(file.reference())?;
        let key: Self = load(session, &reference).await?;
        match file.public_key() {
            Some(public_key) if public_key != key.public_key() => Err(Error::new(
                ErrorKind::KeyFile,
                format!("the key file's public key is not that of {reference}"),
            )
            .hint("the key was rotated or replaced; write the file again")),
            _ => Ok(key),
        }
    }

    /// The key of a complete file, without a request.
    pub(crate) fn from_complete_file(session: &Session, file: &KeyFile) -> Result<Option<Self>> {
        let reference = session.settings().reference(file.reference())?;
        let Some((version, public_key)) = reference.version().zip(file.public_key()) else {
            // A file without a key name is refused before any request.
            return key_name(&reference).map(|_| None);
        };
        let handle = Handle::new(session, &reference, version.to_owned(), None)?;
        Ok(Some(Self::new(handle, public_key.clone())))
    }

    fn new(handle: Handle, public_key: PublicKey) -> Self {
        Self(Arc::new(Inner { handle, public_key }))
    }

    pub(crate) fn session(&self) -> &Session {
        &self.0.handle.session
    }

    pub(crate) fn settings(&self) -> &Settings {
        self.0.handle.session.settings()
    }

    /// The operation, for messages.
    fn doing(&self, verb: &str, algorithm: impl fmt::Display) -> String {
        format!("{verb} ({algorithm}) with {}", self.reference())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.pinned_reference().to_string()).finish()
    }
}

impl Deref for Key {
    type Target = KeyId;

    fn deref(&self) -> &KeyId {
        &self.0.handle.id
    }
}
