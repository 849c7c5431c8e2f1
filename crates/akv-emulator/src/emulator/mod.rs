//! The emulator as a library: its handle, and the calls that need no HTTP.

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{runtime::Runtime, task::JoinHandle};

use crate::{
    admin,
    builder::Builder,
    entra::Application,
    error::ApiError,
    faults::Fault,
    new_key::{KeyId, NewKey},
    persona::Target,
    state::State,
    stats::{Stats, count},
    sync::lock,
};

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

/// A running emulator; dropping it stops it.
pub struct Emulator {
    pub(crate) endpoint: String,
    pub(crate) imds_endpoint: String,
    pub(crate) arc_endpoint: String,
    pub(crate) identity_endpoint: String,
    pub(crate) address: SocketAddr,
    pub(crate) state: Arc<State>,
    pub(crate) accepting: Mutex<Vec<JoinHandle<()>>>,
    pub(crate) runtime: Mutex<Option<Runtime>>,
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

    /// Puts the vaults into a Microsoft Entra tenant: they refuse tokens of others, and challenges
    /// name it. `None`, the start, takes tokens of every tenant.
    pub fn set_tenant(&self, tenant: Option<String>) {
        self.state.tokens.set_tenant(tenant);
    }

    /// The tenant that challenges name: the one that was set, or the one that tokens of managed
    /// identities are for.
    #[must_use]
    pub fn tenant(&self) -> String {
        self.state.tokens.tenant()
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

    /// The value for `AZURE_AUTHORITY_HOST`: where registered applications get their tokens.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.endpoint
    }

    /// Registers an application in Microsoft Entra ID, in place of one with the same tenant and
    /// client id.
    ///
    /// # Errors
    /// [`Error::Refused`] when a certificate cannot be read.
    pub fn register(&self, application: Application) -> Result<(), Error> {
        self.state.entra.add(application).map_err(Error::Refused)
    }

    /// The value that Azure Arc gives programs as `IDENTITY_ENDPOINT`; `IMDS_ENDPOINT` is
    /// [`Emulator::imds_endpoint`].
    #[must_use]
    pub fn arc_endpoint(&self) -> &str {
        &self.arc_endpoint
    }

    /// Makes the machine an Azure Arc server, whose agent puts a secret file for each challenge
    /// into this folder; `None` makes it no such server. The folder must exist.
    pub fn set_arc_folder(&self, folder: Option<PathBuf>) {
        self.state.arc.set_folder(folder);
    }

    /// Has the agent name this file in its challenges instead of a fresh one: what an impostor
    /// would do. `None` ends it.
    pub fn set_arc_challenge(&self, file: Option<PathBuf>) {
        self.state.arc.set_named(file);
    }

    /// Creates a key, or a new version where the key exists.
    ///
    /// # Errors
    /// [`Error::Refused`] for what the persona does not have, a bad name or a deleted key.
    pub fn create_key(&self, key: NewKey) -> Result<KeyId, Error> {
        let target = self.target(&key.vault);
        Ok(admin::create(&self.state, &target, key)?)
    }

    /// Creates a key with a certificate for a subject such as `CN=www.example.org`, which the key
    /// signs itself, or a new version where the key exists.
    ///
    /// # Errors
    /// As [`Emulator::create_key`]; a Managed HSM has no certificates.
    pub fn create_certificate(&self, key: NewKey, subject: &str) -> Result<KeyId, Error> {
        let target = self.target(&key.vault);
        Ok(admin::create_certificate(&self.state, &target, key, subject)?)
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
