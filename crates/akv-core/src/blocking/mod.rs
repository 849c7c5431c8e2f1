//! [`crate::Client`], [`crate::Key`] and the other types, for programs without an async runtime.
//!
//! Operations run on one runtime per process. The first operation creates it: never when a library
//! is loaded, and never shared with a child of `fork`, which gets its own. A thread named `akv`
//! drives it and takes no signals. A caller that is the only one, and calls again and again, drives
//! it itself, which saves a switch between threads; where the system refuses a thread, all callers
//! do. A call returns within the setting `timeout`, or a quarter of a second later if the runtime itself is
//! blocked.
//!
//! ```no_run
//! use akv_core::{Settings, SignatureAlgorithm::Es256, blocking::Client};
//!
//! # fn example(digests: [[u8; 32]; 2]) -> akv_core::Result<()> {
//! let client = Client::new(Settings::from_environment()?);
//! let key = client.key(&client.reference("vault:myVault:myKey")?)?;
//! // In parallel, over one pool of connections.
//! let [first, second] = std::thread::scope(|scope| {
//!     let threads = digests.each_ref().map(|digest| scope.spawn(|| key.sign(Es256, digest)));
//!     threads.map(|thread| thread.join().expect("failures are errors, not panics"))
//! });
//! println!("{} and {} bytes", first?.len(), second?.len());
//! # Ok(())
//! # }
//! ```

mod key;
mod pending;
mod start;
mod symmetric;
mod vault;

pub use self::{
    key::{AnyKey, Key, VaultKey},
    pending::Pending,
    symmetric::{CbcStream, SymmetricKey},
    vault::{KeyList, Vault},
};
pub use crate::process::driver::{Block, InFlight, Wait};

use std::{sync::Arc, time::Duration};

use crate::{Certificate, Counters, KeyFile, KeyReference, Result, Settings, session::Session};

/// How long after the operation's deadline a caller waits before it gives up on the runtime.
const GRACE: Duration = Duration::from_millis(250);

/// Runs an operation and waits for its result.
fn block_on<T: Send + 'static>(
    session: &Session,
    operation: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    Pending::start_to_wait(session, operation)?.wait()
}

/// Opens keys; see [`crate::Client`].
///
/// ```no_run
/// use akv_core::{Settings, SignatureAlgorithm::Es256, blocking::Client};
///
/// # fn example(digest: [u8; 32]) -> akv_core::Result<()> {
/// let client = Client::new(Settings::from_environment()?);
/// let reference = client.reference("vault:myVault:myKey")?;
/// let signature = client.key(&reference)?.sign(Es256, &digest)?;
/// assert_eq!((client.counters().operations, signature.len()), (2, 64));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client(crate::Client);

impl Client {
    /// A client with these settings. This starts nothing.
    ///
    /// ```
    /// use akv_core::{Settings, blocking::Client};
    /// use std::time::Duration;
    ///
    /// let client = Client::new(Settings::builder().build()?);
    /// assert_eq!(client.settings().timeout(), Duration::from_secs(10));
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    pub fn new(settings: Settings) -> Self {
        Self(crate::Client::new(settings))
    }

    /// A client whose operations, and those of its keys, wait by `wait` where that is of use,
    /// unless the setting `async` is `no`. It is for callers that wait for each operation right
    /// after they have started it: where `wait` is of no use, an operation may run until it has
    /// ended before the method that starts it returns.
    pub fn with_wait(settings: Settings, wait: Arc<dyn Wait>) -> Self {
        let wait = if settings.values().async_jobs { wait } else { Arc::new(Block) };
        Self(crate::Client::with_session(Session::with_wait(settings, Some(wait))))
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        self.0.settings()
    }

    /// The numbers of operations and requests so far.
    ///
    /// ```
    /// # let client = akv_core::blocking::Client::new(akv_core::Settings::builder().build()?);
    /// let now = client.counters();
    /// println!("akv_operations_total {}\nakv_failures_total {}", now.operations, now.failures);
    /// # assert_eq!(now, akv_core::Counters::default());
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    pub fn counters(&self) -> Counters {
        self.0.counters()
    }

    /// Parses a key reference with this client's settings.
    ///
    /// ```
    /// # let client = akv_core::blocking::Client::new(akv_core::Settings::builder().build()?);
    /// let reference = client.reference("vault:myVault:myKey")?;
    /// assert_eq!(reference.key_name(), Some("myKey"));
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`Settings::reference`].
    pub fn reference(&self, text: &str) -> Result<KeyReference> {
        self.0.reference(text)
    }

    /// Opens a key; see [`crate::Client::key`].
    ///
    /// ```no_run
    /// # fn example(client: akv_core::blocking::Client) -> akv_core::Result<()> {
    /// let key = client.key(&client.reference("vault:myVault:myKey")?)?;
    /// println!("{} has {} bits", key.pinned_reference(), key.public_key().bits());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the async form.
    pub fn key(&self, reference: &KeyReference) -> Result<Key> {
        self.start_key(reference)?.wait()
    }

    /// Opens the key of a key file; see [`crate::Client::key_from_file`]. With the setting `warm`,
    /// token and connection are prepared in the background.
    ///
    /// ```no_run
    /// use akv_core::{KeyFile, SignatureAlgorithm::Rs256};
    ///
    /// # fn example(client: akv_core::blocking::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// # let digest = [0; 32];
    /// let pem = std::fs::read("site.key")?;
    /// let file = KeyFile::from_pem(&pem)?.ok_or("site.key is not a key file")?;
    /// let signature = client.key_from_file(&file)?.sign(Rs256, &digest)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the async form.
    pub fn key_from_file(&self, file: &KeyFile) -> Result<Key> {
        self.start_key_from_file(file)?.wait()
    }

    /// Opens the key that a key file names, whatever its kind; see
    /// [`crate::Client::any_key_from_file`].
    ///
    /// ```no_run
    /// use akv_core::{KeyFile, blocking::AnyKey};
    ///
    /// # fn example(client: akv_core::blocking::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let file = KeyFile::from_pem(&std::fs::read("kek.key")?)?.ok_or("not a key file")?;
    /// if let AnyKey::Symmetric(key) = client.any_key_from_file(&file)? {
    ///     println!("wraps keys with {}", key.pinned_reference());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the async form.
    pub fn any_key_from_file(&self, file: &KeyFile) -> Result<AnyKey> {
        self.start_any_key_from_file(file)?.wait()
    }

    /// Opens a symmetric key; see [`crate::Client::symmetric_key`].
    ///
    /// ```no_run
    /// use akv_core::GcmAlgorithm::A256Gcm;
    ///
    /// # fn example(client: akv_core::blocking::Client) -> akv_core::Result<()> {
    /// let key = client.symmetric_key(&client.reference("managedHsm:myHsm:dek")?)?;
    /// let sealed = key.seal(A256Gcm, b"a secret", b"its name")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the async form.
    pub fn symmetric_key(&self, reference: &KeyReference) -> Result<SymmetricKey> {
        self.start_symmetric_key(reference)?.wait()
    }

    /// Opens a key of any kind; see [`crate::Client::any_key`].
    ///
    /// ```no_run
    /// use akv_core::blocking::AnyKey;
    ///
    /// # fn example(client: akv_core::blocking::Client) -> akv_core::Result<()> {
    /// match client.any_key(&client.reference("managedHsm:myHsm:myKey")?)? {
    ///     AnyKey::Asymmetric(key) => println!("a key pair of {} bits", key.public_key().bits()),
    ///     AnyKey::Symmetric(key) => println!("a symmetric key, version {}", key.version()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the async form.
    pub fn any_key(&self, reference: &KeyReference) -> Result<AnyKey> {
        self.start_any_key(reference)?.wait()
    }

    /// Requests the certificate of a key; see [`crate::Client::certificate`].
    ///
    /// # Errors
    /// As the async form.
    pub fn certificate(&self, reference: &KeyReference) -> Result<Certificate> {
        self.start_certificate(reference)?.wait()
    }

    /// The vault that a reference names; see [`crate::Client::vault`].
    ///
    /// ```
    /// # let client = akv_core::blocking::Client::new(akv_core::Settings::builder().build()?);
    /// let vault = client.vault(&client.reference("vault:myVault:")?)?;
    /// assert_eq!(vault.reference().vault_name(), "myVault");
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As the async form.
    pub fn vault(&self, reference: &KeyReference) -> Result<Vault> {
        self.0.vault(reference).map(Vault::from)
    }
}
