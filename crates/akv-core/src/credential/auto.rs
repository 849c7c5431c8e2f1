//! The credential `auto`: whatever works, remembered.

use super::Credential;
use crate::{
    Error, ErrorKind, Result, Settings,
    error::shortened,
    settings::CredentialKind::{self, *},
    token::Token,
};
use std::{
    fmt::Write as _,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::time::timeout;

const UNKNOWN: usize = usize::MAX;

/// The chain of credentials that the settings make possible.
#[derive(Debug)]
pub(crate) struct Auto {
    links: Vec<Link>,
    /// The link that gave the last token.
    working: AtomicUsize,
}

#[derive(Debug)]
struct Link {
    kind: CredentialKind,
    credential: Result<Credential>,
}

impl Auto {
    const ORDER: [CredentialKind; 6] =
        [AccessToken, ClientSecret, WorkloadIdentity, ManagedIdentity, AzureCli, AzureDeveloperCli];

    pub(super) fn new(settings: &Settings, http: &reqwest::Client) -> Self {
        let links = Self::ORDER
            .into_iter()
            .map(|kind| Link { kind, credential: Credential::of_kind(kind, settings, http) })
            .collect();
        Self { links, working: AtomicUsize::new(UNKNOWN) }
    }

    fn working(&self) -> Option<&Credential> {
        self.links.get(self.working.load(Ordering::Relaxed))?.credential.as_ref().ok()
    }

    pub(super) fn has_changed(&self) -> bool {
        self.working().is_some_and(Credential::has_changed)
    }

    /// The first token that a link gives. A link that once worked is asked alone: falling back to
    /// another identity because of a passing failure would surprise.
    pub(super) async fn token(&self, scope: &str, budget: Duration) -> Result<Token> {
        if let Some(credential) = self.working() {
            return credential.token(scope, budget).await;
        }
        // Time must be left for the links behind one that nobody answers.
        let share = budget / 4;
        let mut reasons = String::new();
        for (at, link) in self.links.iter().enumerate() {
            let outcome = match &link.credential {
                Ok(credential) => match timeout(share, credential.token(scope, share)).await {
                    Ok(outcome) => outcome.map_err(|error| error.to_string()),
                    Err(_) => Err(format!("no answer within {share:?}")),
                },
                Err(error) => Err(error.to_string()),
            };
            match outcome {
                Ok(token) => {
                    tracing::debug!(credential = link.kind.name(), "credential found");
                    self.working.store(at, Ordering::Relaxed);
                    return Ok(token);
                }
                Err(reason) => {
                    let reason = reason
                        .strip_prefix(&format!("the credential {} ", link.kind.name()))
                        .unwrap_or(&reason);
                    let _ = write!(reasons, " {}: {};", link.kind.name(), shortened(reason, 120));
                }
            }
        }
        let reasons = reasons.trim_end_matches(';');
        Err(Error::new(ErrorKind::Credential, format!("no credential gave a token:{reasons}")))
    }
}
