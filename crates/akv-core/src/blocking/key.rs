//! Keys.

use std::ops::Deref;

use zeroize::Zeroizing;

use super::{SymmetricKey, block_on};
use crate::{
    DigestAlgorithm, EncryptionAlgorithm, KeyFile, KeyId, PublicKey, Result, SignatureAlgorithm,
};

/// A key pair whose private half is in a vault; see [`crate::Key`].
///
/// ```no_run
/// use akv_core::{SignatureAlgorithm::Es256, blocking::Client};
///
/// # fn example(client: Client, digest: [u8; 32]) -> akv_core::Result<()> {
/// let key = client.key(&client.reference("vault:myVault:myKey")?)?;
/// assert!(key.pinned_reference().to_string().ends_with(key.version()));
/// assert_eq!(key.reference().version(), None); // as it was opened
/// assert!(key.attributes().is_some_and(|attributes| attributes.enabled()));
/// let signature = key.sign(Es256, &digest)?;
/// key.public_key().verify_digest(Es256, &digest, &signature)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Key(pub(super) crate::Key);

/// A key of either kind; see [`crate::AnyKey`].
///
/// ```no_run
/// use akv_core::blocking::AnyKey;
///
/// # fn example(vault: akv_core::blocking::Vault) -> akv_core::Result<()> {
/// let key = vault.rotate("web")?;
/// println!("{} is now {}, {}", key.reference(), key.version(), key.pinned_reference());
/// if let (AnyKey::Asymmetric(pair), Some(attributes)) = (&key, key.attributes()) {
///     println!("{} bits, made {:?}", pair.public_key().bits(), attributes.created());
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

/// A kind of key, with its blocking form; see [`crate::VaultKey`].
///
/// ```no_run
/// use akv_core::{NewKey, Result, blocking::{Vault, VaultKey}};
///
/// /// Creates a key of either kind, named after its owner.
/// fn make<K: VaultKey>(vault: &Vault, owner: &str, key: NewKey<K>) -> Result<K::Blocking> {
///     vault.create(owner, key.tag("owner", owner))
/// }
/// ```
pub trait VaultKey: crate::VaultKey {
    /// The key whose operations block.
    type Blocking: From<Self>;
}

impl VaultKey for crate::AnyKey {
    type Blocking = AnyKey;
}

impl VaultKey for crate::Key {
    type Blocking = Key;
}

impl VaultKey for crate::SymmetricKey {
    type Blocking = SymmetricKey;
}

impl Key {
    /// The public half.
    pub fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    /// The key file (handle) of this key.
    ///
    /// ```no_run
    /// # fn example(client: akv_core::blocking::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let key = client.key(&client.reference("vault:myVault:myKey")?)?;
    /// std::fs::write("site.key", key.key_file().to_pem())?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn key_file(&self) -> KeyFile {
        self.0.key_file()
    }

    /// Signs a digest in the vault; see [`crate::Key::sign`].
    ///
    /// ```no_run
    /// use akv_core::SignatureAlgorithm::Es256;
    /// use sha2::{Digest, Sha256};
    ///
    /// # fn example(key: akv_core::blocking::Key) -> akv_core::Result<()> {
    /// let signature = key.sign(Es256, &Sha256::digest(b"header.claims"))?;
    /// assert_eq!(signature.len(), 64); // r and s, as in a JSON Web Token
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the async form.
    pub fn sign(&self, algorithm: SignatureAlgorithm, digest: &[u8]) -> Result<Vec<u8>> {
        let digest = digest.to_vec();
        self.block(move |key| async move { key.sign(algorithm, &digest).await })
    }

    /// Hashes a message and signs the digest; see [`crate::Key::sign_message`].
    ///
    /// ```no_run
    /// use akv_core::SignatureAlgorithm::Ps256;
    ///
    /// # fn example(key: akv_core::blocking::Key) -> Result<(), Box<dyn std::error::Error>> {
    /// let signature = key.sign_message(Ps256, &std::fs::read("release.tar")?)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the async form.
    pub fn sign_message(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>> {
        self.sign(algorithm, algorithm.digest_to_sign(message)?.as_ref())
    }

    /// Signs a value that is ready for PKCS#1 v1.5 padding; see [`crate::Key::sign_pkcs1`].
    ///
    /// ```no_run
    /// # fn example(key: akv_core::blocking::Key, md5_and_sha1: [u8; 36]) -> akv_core::Result<()> {
    /// let signature = key.sign_pkcs1(&md5_and_sha1)?; // a TLS 1.0 handshake
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the async form.
    pub fn sign_pkcs1(&self, value: &[u8]) -> Result<Vec<u8>> {
        let value = value.to_vec();
        self.block(move |key| async move { key.sign_pkcs1(&value).await })
    }

    /// Signs a digest with PKCS#1 v1.5; see [`crate::Key::sign_pkcs1_digest`].
    ///
    /// ```no_run
    /// use akv_core::DigestAlgorithm::Sha384;
    ///
    /// # fn example(key: akv_core::blocking::Key, sha384: [u8; 48]) -> akv_core::Result<()> {
    /// let signature = key.sign_pkcs1_digest(Sha384, &sha384)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the async form.
    pub fn sign_pkcs1_digest(&self, algorithm: DigestAlgorithm, digest: &[u8]) -> Result<Vec<u8>> {
        let digest = digest.to_vec();
        self.block(move |key| async move { key.sign_pkcs1_digest(algorithm, &digest).await })
    }

    /// Checks that [`sign_pkcs1_digest`](Self::sign_pkcs1_digest) would send a request; see
    /// [`crate::Key::check_pkcs1_digest`].
    ///
    /// # Errors
    /// As the async form.
    pub fn check_pkcs1_digest(&self, algorithm: DigestAlgorithm) -> Result<()> {
        self.0.check_pkcs1_digest(algorithm)
    }

    /// Checks that [`sign_pkcs1`](Self::sign_pkcs1) would send a request; see
    /// [`crate::Key::check_pkcs1`].
    ///
    /// ```no_run
    /// # fn example(key: akv_core::blocking::Key) -> akv_core::Result<()> {
    /// key.check_pkcs1(&[0; 36])?; // MD5-SHA1
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As that method.
    pub fn check_pkcs1(&self, value: &[u8]) -> Result<()> {
        self.0.check_pkcs1(value)
    }

    /// Signs a digest of any length with ECDSA; see [`crate::Key::sign_ecdsa`].
    ///
    /// ```no_run
    /// # fn example(p256: akv_core::blocking::Key, sha384: [u8; 48]) -> akv_core::Result<()> {
    /// let der = akv_core::ecdsa::raw_to_der(&p256.sign_ecdsa(&sha384)?)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the async form.
    pub fn sign_ecdsa(&self, digest: &[u8]) -> Result<Vec<u8>> {
        let digest = digest.to_vec();
        self.block(move |key| async move { key.sign_ecdsa(&digest).await })
    }

    /// Verifies a signature with the public half; see [`crate::Key::verify`].
    ///
    /// ```no_run
    /// use akv_core::{ErrorKind, SignatureAlgorithm::Ps256};
    ///
    /// # fn example(
    /// #     key: akv_core::blocking::Key, digest: &[u8], signature: &[u8],
    /// # ) -> akv_core::Result<()> {
    /// match key.verify(Ps256, digest, signature) {
    ///     Err(error) if error.kind() == ErrorKind::Signature => println!("not signed by {key:?}"),
    ///     other => other?,
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As that method.
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        digest: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        self.0.verify(algorithm, digest, signature)
    }

    /// Encrypts with the public half; see [`crate::Key::encrypt`].
    ///
    /// ```no_run
    /// use akv_core::EncryptionAlgorithm::RsaOaep256;
    ///
    /// # fn example(key: akv_core::blocking::Key, data_key: &[u8; 32]) -> akv_core::Result<()> {
    /// let ciphertext = key.encrypt(RsaOaep256, data_key)?;
    /// assert_eq!(ciphertext.len() * 8, key.public_key().bits());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As that method.
    pub fn encrypt(&self, algorithm: EncryptionAlgorithm, plaintext: &[u8]) -> Result<Vec<u8>> {
        self.0.encrypt(algorithm, plaintext)
    }

    /// Decrypts in the vault; see [`crate::Key::decrypt`].
    ///
    /// ```no_run
    /// use akv_core::EncryptionAlgorithm::RsaOaep256;
    ///
    /// # fn example(key: akv_core::blocking::Key, ciphertext: &[u8]) -> akv_core::Result<()> {
    /// let plaintext = key.decrypt(RsaOaep256, ciphertext)?; // wiped when it is dropped
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the async form.
    pub fn decrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let ciphertext = ciphertext.to_vec();
        self.block(move |key| async move { key.decrypt(algorithm, &ciphertext).await })
    }

    /// Wraps a key in the vault; see [`crate::Key::wrap_key`].
    ///
    /// ```no_run
    /// use akv_core::EncryptionAlgorithm::RsaOaep256;
    ///
    /// # fn example(key: akv_core::blocking::Key, data_key: &[u8; 32]) -> akv_core::Result<()> {
    /// let wrapped = key.wrap_key(RsaOaep256, data_key)?;
    /// assert_eq!(*key.unwrap_key(RsaOaep256, &wrapped)?, data_key);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the async form.
    pub fn wrap_key(&self, algorithm: EncryptionAlgorithm, key: &[u8]) -> Result<Vec<u8>> {
        let plaintext = Zeroizing::new(key.to_vec());
        self.block(move |key| async move { key.wrap_key(algorithm, &plaintext).await })
    }

    /// Unwraps a key in the vault; see [`crate::Key::unwrap_key`].
    ///
    /// ```no_run
    /// use akv_core::EncryptionAlgorithm::RsaOaep256;
    ///
    /// # fn example(key: akv_core::blocking::Key, wrapped: &[u8]) -> akv_core::Result<()> {
    /// let data_key = key.unwrap_key(RsaOaep256, wrapped)?; // wiped when it is dropped
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the async form.
    pub fn unwrap_key(
        &self,
        algorithm: EncryptionAlgorithm,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let wrapped = wrapped.to_vec();
        self.block(move |key| async move { key.unwrap_key(algorithm, &wrapped).await })
    }

    /// Decrypts a TLS premaster secret; see [`crate::Key::tls_premaster`].
    ///
    /// # Errors
    /// As the async form.
    pub fn tls_premaster(
        &self,
        ciphertext: &[u8],
        versions: &[u16],
    ) -> Result<Zeroizing<[u8; 48]>> {
        let (ciphertext, versions) = (ciphertext.to_vec(), versions.to_vec());
        self.block(move |key| async move { key.tls_premaster(&ciphertext, &versions).await })
    }

    /// Decrypts a padded TLS premaster secret; see [`crate::Key::tls_premaster_block`].
    ///
    /// # Errors
    /// As the async form.
    pub fn tls_premaster_block(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let ciphertext = ciphertext.to_vec();
        self.block(move |key| async move { key.tls_premaster_block(&ciphertext).await })
    }

    fn block<T: Send + 'static, F: Future<Output = Result<T>> + Send + 'static>(
        &self,
        operation: impl FnOnce(crate::Key) -> F,
    ) -> Result<T> {
        block_on(self.0.session(), operation(self.0.clone()))
    }
}

impl From<crate::Key> for Key {
    fn from(key: crate::Key) -> Self {
        Self(key)
    }
}

impl AnyKey {
    /// The key file that names this version.
    pub fn key_file(&self) -> KeyFile {
        match self {
            Self::Asymmetric(key) => key.key_file(),
            Self::Symmetric(key) => key.key_file(),
        }
    }
}

impl From<crate::AnyKey> for AnyKey {
    fn from(key: crate::AnyKey) -> Self {
        match key {
            crate::AnyKey::Asymmetric(key) => Self::Asymmetric(key.into()),
            crate::AnyKey::Symmetric(key) => Self::Symmetric(key.into()),
        }
    }
}

impl Deref for Key {
    type Target = KeyId;

    fn deref(&self) -> &KeyId {
        &self.0
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
