//! The connections of a process, its credential, and a client for each vault.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Session, VaultClient, authorize::Authorize, token_cache::Tokens};
use crate::{Result, credential::Credential, settings::Destination, transport::Http};

/// The connections of one process.
pub(super) struct Connections {
    http: Http,
    /// With hedging, the connections for second requests.
    spare: Option<Http>,
    credential: Arc<Credential>,
    vaults: Mutex<Vaults>,
}

/// The clients and tokens so far. Locked only for look-ups, never across a request.
#[derive(Default)]
struct Vaults {
    clients: HashMap<Destination, Arc<VaultClient>>,
    /// By scope: vaults of one audience share a token.
    tokens: HashMap<String, Arc<Tokens>>,
}

impl Connections {
    pub(super) fn new(session: &Session) -> Result<Self> {
        let (settings, metrics) = (session.settings(), session.metrics());
        metrics.begin_process();
        let connections = || Http::new(settings, Arc::clone(metrics));
        let http = connections()?;
        let spare = settings.values().hedge_after.map(|_| connections()).transpose()?;
        let credential = Arc::new(Credential::new(settings, &http)?);
        Ok(Self { http, spare, credential, vaults: Mutex::default() })
    }

    #[cfg(feature = "probe")]
    pub(super) fn http(&self) -> &Http {
        &self.http
    }

    /// The client of a vault.
    pub(super) fn vault_client(
        &self,
        session: &Session,
        destination: Destination,
    ) -> Result<Arc<VaultClient>> {
        let mut vaults = self.vaults();
        let Vaults { clients, tokens } = &mut *vaults;
        match clients.entry(destination) {
            Entry::Occupied(entry) => Ok(Arc::clone(entry.get())),
            Entry::Vacant(entry) => {
                let Destination { url, scope, .. } = entry.key();
                let tokens = self.tokens_in(tokens, session, scope);
                let authorize = Authorize::new(tokens, url.clone());
                let (http, spare) = (&self.http, self.spare.as_ref());
                let client = VaultClient::new(session, http, spare, url, authorize)?;
                Ok(Arc::clone(entry.insert(Arc::new(client))))
            }
        }
    }

    /// This process's tokens for an audience.
    pub(super) fn tokens(&self, session: &Session, scope: &str) -> Arc<Tokens> {
        self.tokens_in(&mut self.vaults().tokens, session, scope)
    }

    fn tokens_in(
        &self,
        known: &mut HashMap<String, Arc<Tokens>>,
        session: &Session,
        scope: &str,
    ) -> Arc<Tokens> {
        let tokens = known.entry(scope.to_owned()).or_insert_with(|| {
            Tokens::new(
                session.0.tokens.of(scope),
                Arc::clone(&self.credential),
                Arc::clone(session.metrics()),
                session.settings().timeout(),
            )
        });
        Arc::clone(tokens)
    }

    fn vaults(&self) -> MutexGuard<'_, Vaults> {
        self.vaults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
