//! A symmetric key in a Managed HSM.

use std::{
    fmt,
    ops::{Deref, RangeInclusive},
    sync::Arc,
};

use zeroize::Zeroizing;

use super::{
    KeyFile, KeyId,
    handle::Handle,
    request::{Action, Parameters},
    wrap::KnownSize,
};
use crate::{CbcAlgorithm, Error, ErrorKind, GcmAlgorithm, Result, session::Session};

/// Length of the nonce of GCM, to which the service appends zeros up to a whole block.
const NONCE: RangeInclusive<usize> = 12..=16;
/// Bytes of a GCM tag.
const TAG: usize = 16;

/// A symmetric (AES) key in a Managed HSM. Cheap to clone, usable from many threads.
///
/// No part of it leaves the HSM, so every operation is a request. Open it with
/// [`Client::symmetric_key`](crate::Client::symmetric_key) or create it with
/// [`Vault::create`](crate::Vault::create). The version is pinned, like that of a
/// [`Key`](crate::Key).
///
/// The service does not return the size of a symmetric key. The HSM refuses an algorithm of another
/// size. [`wrap_key_auto`](Self::wrap_key_auto) finds the size.
///
/// ```no_run
/// use akv_core::{Client, KeyWrapAlgorithm, Settings};
///
/// # async fn example() -> akv_core::Result<()> {
/// let client = Client::new(Settings::from_environment()?);
/// let key = client.symmetric_key(&client.reference("managedHsm:myHsm:kek")?).await?;
/// assert_eq!(key.reference().version(), None); // as it was opened
/// assert_eq!(key.pinned_reference().version(), Some(key.version()));
/// assert!(key.attributes().is_some_and(|attributes| attributes.enabled()));
///
/// let wrapped = key.wrap_key(KeyWrapAlgorithm::A256Kw, &[7; 32]).await?;
/// assert_eq!(*key.unwrap_key(KeyWrapAlgorithm::A256Kw, &wrapped).await?, [7; 32]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SymmetricKey(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) handle: Handle,
    /// The key's size, once a request has revealed it.
    pub(super) size: KnownSize,
}

/// The result of [`SymmetricKey::seal`] and the input of [`SymmetricKey::open`].
///
/// ```no_run
/// use akv_core::{GcmAlgorithm::A256Gcm, GcmCiphertext};
///
/// # async fn example(key: akv_core::SymmetricKey) -> akv_core::Result<()> {
/// let GcmCiphertext { iv, ciphertext, tag } = key.seal(A256Gcm, b"a secret", b"").await?;
/// // Store them, each with its length.
/// let sealed = GcmCiphertext { iv, ciphertext, tag };
/// assert_eq!(*key.open(A256Gcm, &sealed, b"").await?, b"a secret");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GcmCiphertext {
    /// The initialization vector that the HSM chose: 12 bytes, in the service's responses followed
    /// by four zeros. It is not secret.
    pub iv: Vec<u8>,
    /// The ciphertext, as long as the plaintext.
    pub ciphertext: Vec<u8>,
    /// The authentication tag, 16 bytes.
    pub tag: Vec<u8>,
}

impl SymmetricKey {
    pub(super) fn new(handle: Handle) -> Self {
        Self(Arc::new(Inner { handle, size: KnownSize::default() }))
    }

    /// The key file that names this version. A symmetric key has no public half, so opening it from
    /// the file sends a request.
    ///
    /// ```no_run
    /// # fn example(key: akv_core::SymmetricKey) {
    /// assert_eq!(key.key_file().public_key(), None);
    /// # }
    /// ```
    pub fn key_file(&self) -> KeyFile {
        KeyFile::new(self.pinned_reference(), None)
    }

    /// Encrypts in CBC mode. The initialization vector must be random and used once.
    ///
    /// ```no_run
    /// use akv_core::CbcAlgorithm::A256CbcPad;
    ///
    /// # async fn example(key: akv_core::SymmetricKey, iv: &[u8; 16]) -> akv_core::Result<()> {
    /// let ciphertext = key.encrypt(A256CbcPad, iv, b"a secret").await?;
    /// assert_eq!(ciphertext.len(), 16); // one block, of which half is padding
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The plaintext has a partial block and the algorithm does not pad (no request is sent then),
    /// or the service fails or refuses within the deadline.
    pub async fn encrypt(
        &self,
        algorithm: CbcAlgorithm,
        iv: &[u8; 16],
        plaintext: &[u8],
    ) -> Result<Vec<u8>> {
        let during = || self.doing("encrypt", algorithm.name());
        algorithm.check_plaintext(plaintext).map_err(|error| error.during(during()))?;
        let len = algorithm.ciphertext_len(plaintext.len());
        let parameters = Parameters::new(algorithm.name(), plaintext, len..=len).iv(iv);
        let answer = self.0.handle.operate(Action::Encrypt, &parameters).await;
        Ok(answer.map_err(|error| error.during(during()))?.value.to_vec())
    }

    /// Decrypts in CBC mode.
    ///
    /// ```no_run
    /// use akv_core::CbcAlgorithm::A256CbcPad;
    ///
    /// # async fn example(
    /// #     key: akv_core::SymmetricKey, iv: [u8; 16], ciphertext: &[u8],
    /// # ) -> akv_core::Result<()> {
    /// let plaintext = key.decrypt(A256CbcPad, &iv, ciphertext).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The ciphertext has a partial block (no request is sent then), or the service fails or
    /// refuses within the deadline.
    pub async fn decrypt(
        &self,
        algorithm: CbcAlgorithm,
        iv: &[u8; 16],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let during = || self.doing("decrypt", algorithm.name());
        algorithm.check_ciphertext(ciphertext).map_err(|error| error.during(during()))?;
        let len = algorithm.plaintext_len(ciphertext.len());
        let parameters = Parameters::new(algorithm.name(), ciphertext, len).iv(iv);
        let answer = self.0.handle.operate(Action::Decrypt, &parameters).await;
        Ok(answer.map_err(|error| error.during(during()))?.value)
    }

    /// Encrypts and authenticates in GCM mode; `aad` is only authenticated. The HSM chooses the
    /// initialization vector.
    ///
    /// ```no_run
    /// use akv_core::GcmAlgorithm::A256Gcm;
    ///
    /// # async fn example(key: akv_core::SymmetricKey) -> akv_core::Result<()> {
    /// let sealed = key.seal(A256Gcm, b"a secret", b"its name").await?;
    /// assert_eq!((sealed.ciphertext.len(), sealed.tag.len()), (8, 16));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The service fails or refuses within the deadline, or its response is incomplete.
    pub async fn seal(
        &self,
        algorithm: GcmAlgorithm,
        plaintext: &[u8],
        aad: &[u8],
    ) -> Result<GcmCiphertext> {
        let during = || self.doing("encrypt", algorithm.name());
        let len = plaintext.len();
        let parameters = Parameters::new(algorithm.name(), plaintext, len..=len).aad(aad);
        let answer = self.0.handle.operate(Action::Encrypt, &parameters).await;
        let answer = answer.map_err(|error| error.during(during()))?;
        let sealed = GcmCiphertext {
            iv: answer.iv.unwrap_or_default(),
            ciphertext: answer.value.to_vec(),
            tag: answer.tag.unwrap_or_default(),
        };
        sealed.check(ErrorKind::Response).map_err(|error| error.during(during()))?;
        Ok(sealed)
    }

    /// Decrypts the result of [`seal`](Self::seal), with the same `aad`.
    ///
    /// ```no_run
    /// use akv_core::GcmAlgorithm::A256Gcm;
    ///
    /// # async fn example(
    /// #     key: akv_core::SymmetricKey, sealed: akv_core::GcmCiphertext,
    /// # ) -> akv_core::Result<()> {
    /// let plaintext = key.open(A256Gcm, &sealed, b"its name").await?;
    /// assert!(key.open(A256Gcm, &sealed, b"another name").await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `sealed` has an initialization vector or tag of the wrong length (no request is sent then),
    /// a part of it was changed, or the service fails or refuses within the deadline.
    pub async fn open(
        &self,
        algorithm: GcmAlgorithm,
        sealed: &GcmCiphertext,
        aad: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let during = || self.doing("decrypt", algorithm.name());
        sealed.check(ErrorKind::Argument).map_err(|error| error.during(during()))?;
        let len = sealed.ciphertext.len();
        let parameters = Parameters::new(algorithm.name(), &sealed.ciphertext, len..=len)
            .iv(&sealed.iv)
            .tag(&sealed.tag)
            .aad(aad);
        let answer = self.0.handle.operate(Action::Decrypt, &parameters).await;
        Ok(answer.map_err(|error| error.during(during()))?.value)
    }

    pub(crate) fn session(&self) -> &Session {
        &self.0.handle.session
    }

    pub(super) fn doing(&self, verb: &str, algorithm: &str) -> String {
        format!("{verb} ({algorithm}) with {}", self.reference())
    }
}

impl GcmCiphertext {
    /// Refuses lengths that the service's GCM does not have, with an error of `kind`.
    fn check(&self, kind: ErrorKind) -> Result<()> {
        if !NONCE.contains(&self.iv.len()) || self.tag.len() != TAG {
            let (iv, tag) = (self.iv.len(), self.tag.len());
            let (min, max) = (NONCE.start(), NONCE.end());
            return Err(Error::new(
                kind,
                format!(
                    "GCM needs an initialization vector of {min} to {max} bytes and a tag of \
                     {TAG}, not {iv} and {tag}"
                ),
            ));
        }
        Ok(())
    }
}

impl fmt::Debug for SymmetricKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SymmetricKey").field(&self.pinned_reference().to_string()).finish()
    }
}

impl Deref for SymmetricKey {
    type Target = KeyId;

    fn deref(&self) -> &KeyId {
        &self.0.handle.id
    }
}
