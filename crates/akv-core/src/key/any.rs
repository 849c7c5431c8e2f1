//! Keys of any kind.

use std::ops::Deref;

use super::{
    Key, KeyId, SymmetricKey,
    bundle::{Bundle, Material},
    handle::{Handle, fetch},
};
use crate::{Error, ErrorKind, KeyFile, KeyReference, Result, session::Session};

/// A key of either kind, for programs that do not know the kind in advance.
///
/// ```no_run
/// use akv_core::AnyKey;
///
/// # async fn example(client: akv_core::Client) -> akv_core::Result<()> {
/// let key = client.any_key(&client.reference("managedHsm:myHsm:myKey")?).await?;
/// println!("{} is now {}, {}", key.reference(), key.version(), key.pinned_reference());
/// println!("type: {:?}", key.attributes().and_then(|attributes| attributes.key_type()));
/// match key {
///     AnyKey::Asymmetric(pair) => println!("{} bits", pair.public_key().bits()),
///     AnyKey::Symmetric(_) => println!("the service does not return its size"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub enum AnyKey {
    /// A key pair: RSA or elliptic curve.
    Asymmetric(Key),
    /// A symmetric key of a Managed HSM.
    Symmetric(SymmetricKey),
}

impl AnyKey {
    /// The key of a file. A file without a public half may name a symmetric key, so the key is
    /// requested.
    pub(crate) async fn from_file(session: &Session, file: &KeyFile) -> Result<Self> {
        match file.public_key() {
            Some(_) => Key::from_file(session, file).await.map(Self::Asymmetric),
            None => load(session, &session.settings().reference(file.reference())?).await,
        }
    }

    /// The key file that names this version.
    pub fn key_file(&self) -> KeyFile {
        match self {
            Self::Asymmetric(key) => key.key_file(),
            Self::Symmetric(key) => key.key_file(),
        }
    }
}

impl Deref for AnyKey {
    type Target = KeyId;

    fn deref(&self) -> &KeyId {
        match self {
            Self::Asymmetric(key) => key,
            Self::Symmetric(key) => key,
        }
    }
}

/// A kind of key: [`Key`], [`SymmetricKey`] or [`AnyKey`]. The trait is sealed.
///
/// ```no_run
/// use akv_core::{NewKey, Result, Vault, VaultKey};
///
/// /// Creates a key of either kind, named after its owner.
/// async fn make<K: VaultKey>(vault: &Vault, owner: &str, key: NewKey<K>) -> Result<K> {
///     vault.create(owner, key.tag("owner", owner)).await
/// }
/// ```
pub trait VaultKey: Sealed + Clone + Send + Sync + Sized + 'static {
    /// The key, if it is of this kind.
    ///
    /// ```no_run
    /// use akv_core::{Key, VaultKey};
    ///
    /// # async fn example(vault: akv_core::Vault) -> akv_core::Result<()> {
    /// let key = Key::from_any(vault.rotate("web").await?)?; // "web" is a key pair
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The key is of the other kind ([`ErrorKind::Unsupported`]).
    fn from_any(key: AnyKey) -> Result<Self>;
}

/// Seals [`VaultKey`].
pub trait Sealed {}

impl Sealed for AnyKey {}

impl VaultKey for AnyKey {
    fn from_any(key: AnyKey) -> Result<Self> {
        Ok(key)
    }
}

impl Sealed for Key {}

impl VaultKey for Key {
    fn from_any(key: AnyKey) -> Result<Self> {
        match key {
            AnyKey::Asymmetric(key) => Ok(key),
            AnyKey::Symmetric(_) => Err(Error::new(
                ErrorKind::Unsupported,
                "it is a symmetric key, which has no public half and cannot sign",
            )
            .hint("open it as a SymmetricKey")),
        }
    }
}

impl Sealed for SymmetricKey {}

impl VaultKey for SymmetricKey {
    fn from_any(key: AnyKey) -> Result<Self> {
        match key {
            AnyKey::Symmetric(key) => Ok(key),
            AnyKey::Asymmetric(key) => Err(Error::new(
                ErrorKind::Unsupported,
                format!("it is not a symmetric key but {}", key.public_key().description()),
            )
            .hint("open it as a Key")),
        }
    }
}

/// Requests the key that `reference` names.
pub(crate) async fn load<K: VaultKey>(session: &Session, reference: &KeyReference) -> Result<K> {
    let bundle = fetch(session, reference).await?;
    from_bundle(session, reference, bundle)
        .map_err(|error| error.during(format!("load {reference}")))
}

/// The key that a response describes.
pub(crate) fn from_bundle<K: VaultKey>(
    session: &Session,
    reference: &KeyReference,
    bundle: Bundle,
) -> Result<K> {
    let Bundle { version, material, attributes } = bundle;
    let handle = Handle::new(session, reference, version, Some(attributes))?;
    K::from_any(match material {
        Material::Asymmetric(public_key) => AnyKey::Asymmetric(Key::new(handle, public_key)),
        Material::Symmetric => AnyKey::Symmetric(SymmetricKey::new(handle)),
    })
}
