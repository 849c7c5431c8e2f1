//! Tests each credential separately.

use std::{fmt, sync::Arc};

use super::{Step, TokenFacts};
use crate::{
    Client, KeyReference, Result,
    credential::{Credential, Token},
    settings::CredentialKind,
};

/// The result of one credential.
#[derive(Clone)]
#[non_exhaustive]
pub struct CredentialProbe {
    /// The credential.
    pub kind: CredentialKind,
    /// The claims of its token, or why it returned none.
    pub step: Step<TokenFacts>,
    pub(super) token: Option<Arc<Token>>,
}

impl fmt::Debug for CredentialProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, step, token: _ } = self;
        f.debug_struct("CredentialProbe").field("kind", kind).field("step", step).finish()
    }
}

impl Client {
    /// Requests a token for the vault of `reference` from the configured credentials, in their
    /// order, up to the first that returns one. If any did, it is the last in the list. Feature
    /// `probe`.
    ///
    /// # Errors
    /// A setting unrelated to credentials prevents all requests: a proxy's URL, or `allowed-keys`.
    pub async fn probe_credentials(
        &self,
        reference: &KeyReference,
    ) -> Result<Vec<CredentialProbe>> {
        let settings = self.settings();
        let scope = settings.destination(reference)?.scope;
        let http = self.session().http()?;
        let kinds = match settings.values().credential {
            CredentialKind::Auto => Credential::automatic(settings).to_vec(),
            kind => vec![kind],
        };
        let mut probes = Vec::new();
        for kind in kinds {
            let limit = settings.timeout();
            let step = Step::run(limit, async {
                Credential::of_kind(kind, settings, &http)?.token(&scope, limit).await
            });
            let Step { took, outcome } = step.await;
            let (outcome, token) = match outcome {
                Ok(token) => (Ok(TokenFacts::of(&token)), Some(Arc::new(token))),
                Err(error) => (Err(error), None),
            };
            let found = token.is_some();
            probes.push(CredentialProbe { kind, step: Step { took, outcome }, token });
            if found {
                break;
            }
        }
        Ok(probes)
    }
}
