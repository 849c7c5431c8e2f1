//! Clients, with which programs open keys and vaults.

use crate::{
    AnyKey, Certificate, Counters, Key, KeyFile, KeyReference, Result, Settings, SymmetricKey,
    Vault, key, session::Session, vault,
};

/// Opens keys. Cheap to clone; clones share tokens and connections.
///
/// Creating one starts no thread and sends no request. It may be created in one process and used in
/// its children.
///
/// ```no_run
/// use akv_core::{Client, Settings, SignatureAlgorithm::Es256};
///
/// # async fn example(digest: [u8; 32]) -> akv_core::Result<()> {
/// let client = Client::new(Settings::from_environment()?);
/// let reference = client.reference("vault:myVault:myKey")?;
/// let signature = client.key(&reference).await?.sign(Es256, &digest).await?;
/// assert_eq!((client.counters().operations, signature.len()), (2, 64));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client(Session);

impl Client {
    /// A client with these settings.
    ///
    /// ```
    /// use akv_core::{Client, Settings};
    /// use std::time::Duration;
    ///
    /// let client = Client::new(Settings::builder().build()?);
    /// assert_eq!(client.settings().timeout(), Duration::from_secs(10));
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    pub fn new(settings: Settings) -> Self {
        Self(Session::new(settings))
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        self.0.settings()
    }

    pub(crate) fn with_session(session: Session) -> Self {
        Self(session)
    }

    pub(crate) fn session(&self) -> &Session {
        &self.0
    }

    /// The numbers of operations and requests so far.
    ///
    /// ```
    /// # let client = akv_core::Client::new(akv_core::Settings::builder().build()?);
    /// let now = client.counters();
    /// println!("akv_operations_total {}\nakv_failures_total {}", now.operations, now.failures);
    /// # assert_eq!(now, akv_core::Counters::default());
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    pub fn counters(&self) -> Counters {
        self.0.metrics().read()
    }

    /// Parses a key reference with this client's settings.
    ///
    /// ```
    /// use akv_core::{Client, Settings, VaultKind};
    ///
    /// let settings = Settings::builder().option("dns-suffix", "vault.example.org")?.build()?;
    /// let client = Client::new(settings);
    /// let reference = client.reference("https://myVault.vault.example.org/keys/myKey")?;
    /// assert_eq!(reference.kind(), VaultKind::Vault);
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`Settings::reference`].
    pub fn reference(&self, text: &str) -> Result<KeyReference> {
        self.settings().reference(text)
    }

    /// Opens a key: requests its public half from the service and pins its version.
    ///
    /// ```no_run
    /// # async fn example(client: akv_core::Client) -> akv_core::Result<()> {
    /// let key = client.key(&client.reference("vault:myVault:myKey")?).await?;
    /// println!("{} has {} bits", key.pinned_reference(), key.public_key().bits());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The reference names no key; the service cannot be reached or refuses the request; or it has
    /// no such key of a type that can sign or decrypt.
    pub async fn key(&self, reference: &KeyReference) -> Result<Key> {
        key::load(&self.0, reference).await
    }

    /// Opens the key that a key file names. No request is sent if the file contains the version and
    /// the public key.
    ///
    /// ```no_run
    /// use akv_core::{KeyFile, SignatureAlgorithm::Rs256};
    ///
    /// # async fn example(client: akv_core::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// # let digest = [0; 32];
    /// let pem = std::fs::read("site.key")?;
    /// let file = KeyFile::from_pem(&pem)?.ok_or("site.key is not a key file")?;
    /// let signature = client.key_from_file(&file).await?.sign(Rs256, &digest).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::reference`] and [`Client::key`]; or the file's public key differs from the
    /// vault's.
    pub async fn key_from_file(&self, file: &KeyFile) -> Result<Key> {
        Key::from_file(&self.0, file).await
    }

    /// Opens the key that a key file names, whatever its kind. No request is sent if the file
    /// contains the version and the public key.
    ///
    /// ```no_run
    /// use akv_core::{AnyKey, KeyFile};
    ///
    /// # async fn example(client: akv_core::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let file = KeyFile::from_pem(&std::fs::read("kek.key")?)?.ok_or("not a key file")?;
    /// if let AnyKey::Symmetric(key) = client.any_key_from_file(&file).await? {
    ///     println!("wraps keys with {}", key.pinned_reference());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::reference`] and [`Client::any_key`]; or the file's public key differs from the
    /// vault's.
    pub async fn any_key_from_file(&self, file: &KeyFile) -> Result<AnyKey> {
        AnyKey::from_file(&self.0, file).await
    }

    /// Opens a symmetric key of a Managed HSM and pins its version.
    ///
    /// ```no_run
    /// use akv_core::GcmAlgorithm::A256Gcm;
    ///
    /// # async fn example(client: akv_core::Client) -> akv_core::Result<()> {
    /// let key = client.symmetric_key(&client.reference("managedHsm:myHsm:dek")?).await?;
    /// let sealed = key.seal(A256Gcm, b"a secret", b"its name").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The reference names no key; the service cannot be reached, refuses the request or has no
    /// such key; or the key is not symmetric.
    pub async fn symmetric_key(&self, reference: &KeyReference) -> Result<SymmetricKey> {
        key::load(&self.0, reference).await
    }

    /// Opens a key of any kind and pins its version.
    ///
    /// ```no_run
    /// use akv_core::AnyKey;
    ///
    /// # async fn example(client: akv_core::Client) -> akv_core::Result<()> {
    /// match client.any_key(&client.reference("managedHsm:myHsm:myKey")?).await? {
    ///     AnyKey::Asymmetric(key) => println!("a key pair of {} bits", key.public_key().bits()),
    ///     AnyKey::Symmetric(key) => println!("a symmetric key, version {}", key.version()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The reference names no key; the service cannot be reached or refuses the request; or it has
    /// no such key of a type that this library supports.
    pub async fn any_key(&self, reference: &KeyReference) -> Result<AnyKey> {
        key::load(&self.0, reference).await
    }

    /// Requests the certificate of a key; see [`Certificate`].
    ///
    /// # Errors
    /// The reference names no key, or a key in a Managed HSM, which has no certificates; or the
    /// service cannot be reached, refuses the request or has no such certificate.
    pub async fn certificate(&self, reference: &KeyReference) -> Result<Certificate> {
        vault::certificate(&self.0, reference).await
    }

    /// The vault that a reference without a key name (`vault:myVault:`) names: lists its keys and
    /// changes them. No request is sent. [`KeyReference::vault`] returns the vault of a key.
    ///
    /// ```
    /// use akv_core::{Client, ErrorKind, Settings};
    ///
    /// let client = Client::new(Settings::builder().build()?);
    /// let key = client.reference("vault:myVault:myKey")?;
    /// let vault = client.vault(&key.vault())?;
    /// assert_eq!(vault.reference().to_string(), "vault:myVault:");
    /// assert_eq!(client.vault(&key).unwrap_err().kind(), ErrorKind::Reference);
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// The reference names a key.
    pub fn vault(&self, reference: &KeyReference) -> Result<Vault> {
        Vault::new(&self.0, reference)
    }
}
