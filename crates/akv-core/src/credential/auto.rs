//! The credential `auto`: the first credential that works, which is then kept.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use tokio::time::timeout;

use super::{Credential, entra::Application};
use crate::{
    Error, ErrorKind, Result, Settings,
    credential::Token,
    error::shortened,
    settings::CredentialKind::{self, *},
    transport::Http,
};

const UNKNOWN: usize = usize::MAX;

/// Maximum length of one link's reason in bytes: all reasons, with the operation, must fit into an
/// error.
const MAX_REASON: usize = 115;

/// The chain of credentials that the settings permit.
#[derive(Debug)]
pub(crate) struct Auto {
    links: Vec<Link>,
    /// The link that returned the last token.
    working: AtomicUsize,
}

/// The order in which credentials are tried.
pub(super) fn order(settings: &Settings) -> [CredentialKind; 6] {
    [
        AccessToken,
        Application::service_principal(settings),
        WorkloadIdentity,
        ManagedIdentity,
        AzureCli,
        AzureDeveloperCli,
    ]
}

#[derive(Debug)]
struct Link {
    kind: CredentialKind,
    credential: Result<Credential>,
}

impl Auto {
    pub(super) fn new(settings: &Settings, http: &Http) -> Self {
        let links = order(settings)
            .into_iter()
            .map(|kind| Link { kind, credential: Credential::of_kind(kind, settings, http) })
            .collect();
        Self { links, working: AtomicUsize::new(UNKNOWN) }
    }

    fn working(&self) -> Option<&Credential> {
        self.links.get(self.working.load(Ordering::Relaxed))?.credential.as_ref().ok()
    }

    pub(super) fn name(&self) -> &'static str {
        self.working().map_or(Auto.name(), Credential::name)
    }

    pub(super) fn unrenewable(&self) -> Option<(String, String)> {
        self.working()?.unrenewable()
    }

    pub(super) fn has_changed(&self) -> bool {
        self.working().is_some_and(Credential::has_changed)
    }

    /// The first token that a link returns. A link that once worked is the only one used from then
    /// on: falling back to another identity because of a transient failure would be surprising.
    pub(super) async fn token(&self, scope: &str, budget: Duration) -> Result<Token> {
        if let Some(credential) = self.working() {
            return credential.token(scope, budget).await;
        }
        let start = Instant::now();
        let mut reasons = String::new();
        for (at, link) in self.links.iter().enumerate() {
            // Leave time for the links after one that times out; the tools at the end are slow.
            let left = budget.saturating_sub(start.elapsed());
            let share = if at + 1 == self.links.len() { left } else { left / 2 };
            match link.token(scope, share).await {
                Ok(token) => {
                    tracing::debug!(credential = link.kind.name(), "credential found");
                    self.working.store(at, Ordering::Relaxed);
                    return Ok(token);
                }
                Err(reason) => {
                    let _ = write!(reasons, " {}: {reason};", link.kind.name());
                }
            }
        }
        let reasons = reasons.trim_end_matches(';');
        Err(Error::new(ErrorKind::Credential, format!("no credential returned a token:{reasons}")))
    }
}

impl Link {
    /// The token, or a short reason.
    async fn token(&self, scope: &str, share: Duration) -> Result<Token, String> {
        let error = match &self.credential {
            Ok(credential) => match timeout(share, credential.token(scope, share)).await {
                Ok(Ok(token)) => return Ok(token),
                Ok(Err(error)) => error.clone(),
                Err(_) => return Err(format!("no response within {share:?}")),
            },
            Err(error) => error.clone(),
        };
        tracing::debug!(credential = self.kind.name(), %error, "credential returned no token");
        let name = self.kind.name();
        let code = error.code().map(|code| format!("{code}: ")).unwrap_or_default();
        // The credential's name is prepended anyway.
        let message = error.message();
        let message = message.strip_prefix("the credential ").unwrap_or(message);
        let message = message.strip_prefix(name).unwrap_or(message).trim_start_matches([':', ' ']);
        Err(format!("{code}{}", shortened(message, MAX_REASON.saturating_sub(code.len()))))
    }
}
