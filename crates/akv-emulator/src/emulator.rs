//! The emulator as a library: builder, handle, and the calls that need no HTTP.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener as StdListener},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{net::TcpListener, runtime::Runtime, task::JoinHandle};
use uuid::Uuid;

use crate::{
    admin,
    auth::Tokens,
    clock::Clock,
    error::ApiError,
    faults::{Fault, Faults},
    identity,
    new_key::{KeyId, NewKey},
    persona::{Persona, Target},
    server,
    state::State,
    stats::{Counters, Stats, count},
    store::Store,
    sync::lock,
    tls::Tls,
};

/// Access tokens of the service live about a day.
const TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Why the emulator did not start or a key was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A listener, a certificate or the state folder.
    #[error("the emulator could not start: {0}")]
    Io(#[from] io::Error),
    /// The emulated service refused a key, with its message.
    #[error("the emulated service refused: {0}")]
    Refused(String),
}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        Self::Refused(format!("{} {}: {}", error.status.as_u16(), error.code, error.message))
    }
}

/// Options of an emulator; see [`Emulator::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    persona: Persona,
    listen: SocketAddr,
    identity_listen: SocketAddr,
    fixed_token: Option<String>,
    token_lifetime: Duration,
    state_dir: Option<PathBuf>,
    names: Vec<String>,
    control_interface: bool,
    worker_threads: usize,
}

impl Default for Builder {
    fn default() -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            persona: Persona::Vault,
            listen: loopback,
            identity_listen: loopback,
            fixed_token: None,
            token_lifetime: TOKEN_LIFETIME,
            state_dir: None,
            names: Vec::new(),
            control_interface: false,
            worker_threads: std::thread::available_parallelism().map_or(1, |n| n.get().min(4)),
        }
    }
}

impl Builder {
    /// Which service answers under host names that are not a known service's, such as
    /// `127.0.0.1`. Names such as `x.managedhsm.azure.net` choose theirs themselves.
    pub const fn persona(mut self, persona: Persona) -> Self {
        self.persona = persona;
        self
    }

    /// Address of the HTTPS listener, `127.0.0.1:0` by default.
    pub const fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Address of the plain HTTP listener of the identity endpoints, `127.0.0.1:0` by default.
    pub const fn identity_listen(mut self, address: SocketAddr) -> Self {
        self.identity_listen = address;
        self
    }

    /// A token that is valid for every vault and never expires.
    pub fn fixed_token(mut self, token: impl Into<String>) -> Self {
        self.fixed_token = Some(token.into());
        self
    }

    /// How long issued tokens are valid, a day by default.
    pub const fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// A folder that keeps the CA and the keys, private parts included, across restarts.
    pub fn state_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(directory.into());
        self
    }

    /// One more DNS name or IP address for the server certificate.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }

    /// Serves the control interface under `/__emulator/`, off by default.
    pub const fn control_interface(mut self, on: bool) -> Self {
        self.control_interface = on;
        self
    }

    /// Threads that serve connections; by default one per CPU, four at most.
    pub fn worker_threads(mut self, threads: usize) -> Self {
        self.worker_threads = threads.max(1);
        self
    }

    /// Starts the emulator on threads of its own. When this returns it accepts connections.
    ///
    /// # Errors
    /// [`Error::Io`] when an address is taken or the state folder cannot be used.
    pub fn start(self) -> Result<Emulator, Error> {
        let tls = Tls::new(self.state_dir.as_deref(), &self.names)?;
        let store = match self.state_dir {
            Some(directory) => Store::open(directory)?,
            None => Store::default(),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(self.worker_threads)
            .thread_name("akv-emulator")
            .enable_all()
            .build()?;
        let guard = runtime.enter();
        let (https, identity) = (bind(self.listen)?, bind(self.identity_listen)?);
        let (address, identity_address) = (https.local_addr()?, identity.local_addr()?);
        drop(guard);
        let state = Arc::new(State {
            persona: self.persona,
            store,
            tokens: Tokens::new(self.fixed_token, self.token_lifetime),
            clock: Clock::default(),
            faults: Faults::default(),
            counters: Counters::default(),
            tls,
            identity_header: Uuid::new_v4().to_string(),
            control_interface: self.control_interface,
        });
        let accepting = vec![
            runtime.spawn(server::serve_https(https, Arc::clone(&state))),
            runtime.spawn(server::serve_identity(identity, Arc::clone(&state))),
        ];
        Ok(Emulator {
            endpoint: format!("https://{address}"),
            imds_endpoint: format!("http://{identity_address}"),
            identity_endpoint: format!("http://{identity_address}{}", identity::APP_SERVICE),
            address,
            state,
            accepting: Mutex::new(accepting),
            runtime: Mutex::new(Some(runtime)),
        })
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = StdListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// A running emulator; dropping it stops it.
pub struct Emulator {
    endpoint: String,
    imds_endpoint: String,
    identity_endpoint: String,
    address: SocketAddr,
    state: Arc<State>,
    accepting: Mutex<Vec<JoinHandle<()>>>,
    runtime: Mutex<Option<Runtime>>,
}

impl Emulator {
    /// Options, all with defaults.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// `https://ADDRESS:PORT` of the data plane.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Address of the HTTPS listener.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of the CA to trust, in PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.state.tls.ca_pem
    }

    /// Issues an access token for the default persona's vaults in the public cloud.
    #[must_use]
    pub fn token(&self) -> String {
        self.token_for(self.state.persona.audience())
    }

    /// Issues an access token for an audience such as `https://managedhsm.azure.net`.
    #[must_use]
    pub fn token_for(&self, audience: &str) -> String {
        count(&self.state.counters.tokens_issued);
        self.state.tokens.issue(audience, self.state.clock.now())
    }

    /// How long tokens issued from now on are valid.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.state.tokens.set_lifetime(lifetime);
    }

    /// Makes one token invalid.
    pub fn revoke_token(&self, token: &str) {
        self.state.tokens.revoke(token);
    }

    /// Makes every token issued so far invalid, the fixed one included.
    pub fn revoke_tokens(&self) {
        self.state.tokens.revoke_all();
    }

    /// `http://ADDRESS:PORT` of the emulated Instance Metadata Service, which answers
    /// `/metadata/identity/oauth2/token`.
    #[must_use]
    pub fn imds_endpoint(&self) -> &str {
        &self.imds_endpoint
    }

    /// The value that App Service gives programs as `IDENTITY_ENDPOINT`.
    #[must_use]
    pub fn identity_endpoint(&self) -> &str {
        &self.identity_endpoint
    }

    /// The value that App Service gives programs as `IDENTITY_HEADER`.
    #[must_use]
    pub fn identity_header(&self) -> &str {
        &self.state.identity_header
    }

    /// Creates a key, or a new version where the key exists.
    ///
    /// # Errors
    /// [`Error::Refused`] for what the persona does not have, a bad name or a deleted key.
    pub fn create_key(&self, key: NewKey) -> Result<KeyId, Error> {
        let target = self.target(&key.vault);
        Ok(admin::create(&self.state, &target, key)?)
    }

    /// Creates a key unless the vault has it already, deleted or not.
    ///
    /// # Errors
    /// As [`Emulator::create_key`].
    pub fn ensure_key(&self, key: NewKey) -> Result<(), Error> {
        let target = self.target(&key.vault);
        if self.state.store.key(&target.vault, &key.name).is_none() {
            admin::create(&self.state, &target, key)?;
        }
        Ok(())
    }

    /// Makes a new version of a key in the default vault.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such key.
    pub fn rotate_key(&self, name: &str) -> Result<KeyId, Error> {
        self.rotate_key_in("", name)
    }

    /// Makes a new version of a key in the vault with this host name.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such key.
    pub fn rotate_key_in(&self, vault_host: &str, name: &str) -> Result<KeyId, Error> {
        Ok(admin::rotate(&self.state, &self.target(vault_host), name)?)
    }

    /// The default vault answers under the listener's address.
    fn target(&self, vault_host: &str) -> Target {
        match vault_host {
            "" => Target::new(&self.address.to_string(), self.state.persona),
            host => Target::new(host, self.state.persona),
        }
    }

    /// Counters since the start or the last reset.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.state.counters.snapshot()
    }

    /// Sets all counters to zero.
    pub fn reset_stats(&self) {
        self.state.counters.reset();
    }

    /// Queues a fault.
    pub fn fault(&self, fault: Fault) {
        self.state.faults.add(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.state.faults.clear();
    }

    /// Moves the emulator's clock, forwards or (negative) backwards, in seconds: keys and tokens
    /// reach their validity or expire.
    pub fn shift_clock(&self, seconds: i64) {
        self.state.clock.shift(seconds);
    }

    /// Closes the listeners: new connections are refused, open ones go on.
    pub fn stop_accepting(&self) {
        let tasks = std::mem::take(&mut *lock(&self.accepting));
        let runtime = lock(&self.runtime);
        for task in &tasks {
            task.abort();
        }
        if let Some(runtime) = runtime.as_ref() {
            // A task's listener is gone when the task is; wait from outside of any runtime.
            let handle = runtime.handle().clone();
            let waiting = std::thread::spawn(move || {
                for task in tasks {
                    let _ = handle.block_on(task);
                }
            });
            let _ = waiting.join();
        }
    }

    /// Stops the emulator and closes all its connections.
    pub fn shutdown(&self) {
        self.stop_accepting();
        if let Some(runtime) = lock(&self.runtime).take() {
            // A runtime must not be dropped inside another one, which the caller may be in.
            let stopping = std::thread::spawn(move || {
                runtime.shutdown_timeout(Duration::from_secs(2));
            });
            let _ = stopping.join();
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Emulator").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
