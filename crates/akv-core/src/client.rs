//! The way to the service: settings, tokens that survive `fork`, and what belongs to a process.

use crate::{
    AnyKey, Certificate, Error, ErrorKind, Key, KeyFile, KeyReference, Result, Settings,
    SymmetricKey, Vault, certificate,
    counters::{Counters, Meters},
    credential::Credential,
    key,
    operation::{Failure, with_deadline},
    outage::{Circuits, VaultCircuits},
    per_process::{Current, PerProcess},
    settings::Destination,
    token::{TokenSlot, Tokens},
    transport::{Authorize, Http},
    vault_client::VaultClient,
};
use azure_core::http::{DEFAULT_ALLOWED_HEADER_NAMES, DEFAULT_ALLOWED_QUERY_PARAMETERS};
use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    future::Future,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// Opens keys. Cheap to clone; clones share tokens and connections.
///
/// Making one costs nothing: no thread, no request. It may be made in one process and used in its
/// children.
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
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    settings: Settings,
    /// The tokens of the audiences: a vault's, a Managed HSM's. A list that only grows, without a
    /// lock, so that a child of `fork` can read it whatever its parent was doing.
    tokens: arc_swap::ArcSwap<Vec<Arc<TokenSlot>>>,
    circuits: Circuits,
    process: PerProcess<Process>,
    meters: Arc<Meters>,
}

/// Connections of one process.
struct Process {
    http: Http,
    /// With hedging: the connections of second requests.
    spare: Option<Http>,
    credential: Arc<Credential>,
    vaults: Mutex<Vaults>,
}

/// What was opened so far. Held for look-ups only, never across a request.
#[derive(Default)]
struct Vaults {
    clients: HashMap<Destination, Arc<VaultClient>>,
    /// By scope: vaults of one audience share a token.
    tokens: HashMap<String, Arc<Tokens>>,
}

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
        settle_statics();
        Self(Arc::new(Shared {
            settings,
            tokens: arc_swap::ArcSwap::default(),
            circuits: Circuits::default(),
            process: PerProcess::new(),
            meters: Arc::default(),
        }))
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn meters(&self) -> &Arc<Meters> {
        &self.0.meters
    }

    /// What this client has done so far.
    ///
    /// ```
    /// # let client = akv_core::Client::new(akv_core::Settings::builder().build()?);
    /// let now = client.counters();
    /// println!("akv_operations_total {}\nakv_failures_total {}", now.operations, now.failures);
    /// # assert_eq!(now, akv_core::Counters::default());
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    pub fn counters(&self) -> Counters {
        self.0.meters.read()
    }

    /// Reads a key reference under this client's settings.
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
        self.0.settings.reference(text)
    }

    /// Opens a key: asks the service for its public half and pins its version.
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
    /// The reference names no key, or the service cannot be reached, refuses, or has no such key
    /// of a type that can sign or decrypt.
    pub async fn key(&self, reference: &KeyReference) -> Result<Key> {
        key::load(self, reference).await
    }

    /// Opens the key that a key file names. No request is made when the file holds the version
    /// and the public key.
    ///
    /// ```no_run
    /// use akv_core::{KeyFile, SignatureAlgorithm::Rs256};
    ///
    /// # async fn example(client: akv_core::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// # let digest = [0; 32];
    /// let pem = std::fs::read("site.key")?;
    /// let file = KeyFile::from_pem(&pem)?.ok_or("site.key is no key file")?;
    /// let signature = client.key_from_file(&file).await?.sign(Rs256, &digest).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::reference`] and [`Client::key`]; the file's public key is not the vault's.
    pub async fn key_from_file(&self, file: &KeyFile) -> Result<Key> {
        Key::from_file(self, file).await
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
    /// The reference names no key, the service cannot be reached, refuses, or has no such key, or
    /// the key is not symmetric.
    pub async fn symmetric_key(&self, reference: &KeyReference) -> Result<SymmetricKey> {
        key::load(self, reference).await
    }

    /// Opens a key of whatever kind it is and pins its version.
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
    /// The reference names no key, or the service cannot be reached, refuses, or has no such key
    /// of a type that this library knows.
    pub async fn any_key(&self, reference: &KeyReference) -> Result<AnyKey> {
        key::load(self, reference).await
    }

    /// Asks for the certificate of a key; see [`Certificate`].
    ///
    /// # Errors
    /// The reference names no key or one in a Managed HSM, which has no certificates; the service
    /// cannot be reached, refuses, or has no such certificate.
    pub async fn certificate(&self, reference: &KeyReference) -> Result<Certificate> {
        certificate::fetch(self, reference).await
    }

    /// The vault that a reference without a key name names (`vault:myVault:`): its list of keys.
    /// No request is made. [`KeyReference::vault`] leads from a key to its vault.
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
        Vault::new(self, reference)
    }

    /// Runs an operation on the vault that `reference` names, which may change it.
    pub(crate) async fn run<T, F>(
        &self,
        reference: &KeyReference,
        attempt: impl Fn(Arc<VaultClient>) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.run_on(&self.connection(reference)?, self.settings().timeout(), attempt).await.0
    }

    /// Runs an operation inside the deadline and the vault's limit of requests in flight. Says too
    /// whether the vault gave any answer.
    pub(crate) async fn run_on<T, F>(
        &self,
        vault: &Arc<VaultClient>,
        timeout: Duration,
        attempt: impl Fn(Arc<VaultClient>) -> F,
    ) -> (Result<T>, bool)
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let meters = &self.0.meters;
        let _under_way = meters.operation();
        let start = Instant::now();
        let attempts = AtomicU32::new(0);
        let answered = AtomicBool::new(false);
        let outcome = with_deadline(timeout, || async {
            if attempts.fetch_add(1, Relaxed) > 0 {
                meters.retry();
            }
            // Fair: first come, first served.
            let _permit = vault.permits.acquire().await.map_err(|_| {
                Error::new(ErrorKind::Internal, "the limit of requests in flight is gone")
            })?;
            attempt(Arc::clone(vault)).await.inspect_err(|failure| {
                if failure.error().status() == Some(429) {
                    meters.throttled();
                }
                if failure.is_answer() {
                    answered.store(true, Relaxed);
                }
            })
        })
        .await;
        let (took, attempts) = (start.elapsed(), attempts.into_inner());
        match &outcome {
            Ok(_) => tracing::debug!(host = vault.host, attempts, ?took, "done"),
            Err(error) => {
                meters.failure();
                tracing::debug!(host = vault.host, attempts, ?took, %error, "failed");
            }
        }
        let answered = outcome.is_ok() || answered.into_inner();
        (outcome, answered)
    }

    /// The circuits of the vault that `reference` names.
    pub(crate) fn circuits(&self, reference: &KeyReference) -> Arc<VaultCircuits> {
        self.0.circuits.of(reference)
    }

    /// This process's client of the vault that `reference` names.
    pub(crate) fn connection(&self, reference: &KeyReference) -> Result<Arc<VaultClient>> {
        let destination = self.0.settings.destination(reference)?;
        let process = self.process()?;
        let mut vaults = process.vaults.lock().unwrap_or_else(PoisonError::into_inner);
        let Vaults { clients, tokens } = &mut *vaults;
        let client = match clients.entry(destination) {
            Entry::Occupied(entry) => Arc::clone(entry.get()),
            Entry::Vacant(entry) => {
                let Destination { url, scope, .. } = entry.key();
                let tokens = self.tokens(tokens, scope, &process);
                let policy = Authorize::new(tokens, url.clone());
                let (http, spare) = (&process.http, process.spare.as_ref());
                let client = VaultClient::new(self, http, spare, url, policy)?;
                Arc::clone(entry.insert(Arc::new(client)))
            }
        };
        Ok(client)
    }

    /// This process's way to the tokens of an audience.
    fn tokens(
        &self,
        known: &mut HashMap<String, Arc<Tokens>>,
        scope: &str,
        process: &Process,
    ) -> Arc<Tokens> {
        let tokens = known.entry(scope.to_owned()).or_insert_with(|| {
            Tokens::new(
                self.token_slot(scope),
                Arc::clone(&process.credential),
                Arc::clone(&self.0.meters),
                self.0.settings.timeout(),
            )
        });
        Arc::clone(tokens)
    }

    /// Keeps the token for the vault that `reference` names fresh, as long as this client and its
    /// process live: for the setting `warm`. Runs inside a runtime.
    ///
    /// # Errors
    /// The key is not allowed, or a setting keeps requests from being made at all.
    pub(crate) fn keep_token(&self, reference: &KeyReference) -> Result<()> {
        let scope = self.0.settings.destination(reference)?.scope;
        let process = self.process()?;
        let mut vaults = process.vaults.lock().unwrap_or_else(PoisonError::into_inner);
        self.tokens(&mut vaults.tokens, &scope, &process).keep();
        Ok(())
    }

    /// This process's HTTP client.
    #[cfg(feature = "probe")]
    pub(crate) fn http(&self) -> Result<Http> {
        Ok(self.process()?.http.clone())
    }

    fn process(&self) -> Result<Current<Process>> {
        self.0.process.get_or_try_init(|| {
            self.0.meters.begin_process();
            let connections = || Http::new(&self.0.settings, Arc::clone(&self.0.meters));
            let http = connections()?;
            let spare = self.settings().values().hedge_after.map(|_| connections()).transpose()?;
            let credential = Arc::new(Credential::new(&self.0.settings, &http)?);
            Ok(Process { http, spare, credential, vaults: Mutex::default() })
        })
    }

    fn token_slot(&self, scope: &str) -> Arc<TokenSlot> {
        let fresh = Arc::new(TokenSlot::new(scope.to_owned()));
        let find =
            |slots: &Vec<Arc<TokenSlot>>| slots.iter().find(|slot| slot.scope() == scope).cloned();
        self.0.tokens.rcu(|slots| match find(slots) {
            Some(_) => Vec::clone(slots),
            None => slots.iter().cloned().chain([Arc::clone(&fresh)]).collect(),
        });
        find(&self.0.tokens.load()).unwrap_or(fresh)
    }
}

/// Has the libraries make what they make once for a process. The locks around that know nothing of
/// `fork`: a child that is forked while a thread of its parent is inside waits for ever.
fn settle_statics() {
    aws_lc_rs::init();
    LazyLock::force(&DEFAULT_ALLOWED_HEADER_NAMES);
    LazyLock::force(&DEFAULT_ALLOWED_QUERY_PARAMETERS);
    drop(azure_core::async_runtime::get_async_runtime());
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}
