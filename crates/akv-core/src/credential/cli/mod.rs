//! The logins of the command-line tools `az` and `azd`.

mod answer;
mod shell;

use std::{
    error::Error as _,
    sync::Arc,
    time::{Duration, SystemTime},
};

use azure_core::credentials::TokenCredential;
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzureDeveloperCliCredential,
    AzureDeveloperCliCredentialOptions,
};
use shell::Shell;

use super::missing;
use crate::{
    Error, ErrorKind, Result, Settings, credential::Token, error::shortened, outside,
    settings::CredentialKind,
};

/// The variables with which a shell finds the tool, and the tool its login. They are captured when
/// the settings are built: servers clear the environment of their workers.
const VARIABLES: [&str; 4] = ["PATH", "HOME", "AZURE_CONFIG_DIR", "AZD_CONFIG_DIR"];

/// The credential `azure-cli` or `azure-developer-cli`. It runs a program.
#[derive(Debug)]
pub(crate) struct CommandLine {
    kind: CredentialKind,
    tenant: Option<String>,
    settings: Settings,
}

impl CommandLine {
    pub(super) fn new(kind: CredentialKind, settings: &Settings) -> Result<Self> {
        // The program is found through the environment, which such a process must not trust.
        if settings.values().secure {
            return Err(missing(kind, "a process without special privileges"));
        }
        let tenant = settings.values().tenant_id.clone();
        Ok(Self { kind, tenant, settings: settings.clone() })
    }

    pub(super) fn kind(&self) -> CredentialKind {
        self.kind
    }

    pub(super) async fn token(&self, scope: &str, budget: Duration) -> Result<Token> {
        let credential = self.credential(budget * 9 / 10).map_err(|error| self.failed(&error))?;
        let token = credential.get_token(&[scope], None).await;
        let token = token.map_err(|error| self.failed(&error))?;
        let left = token.expires_on - azure_core::time::OffsetDateTime::now_utc();
        let left = Duration::try_from(left).unwrap_or_default();
        let expires = SystemTime::now() + left.min(Duration::from_secs(172_800));
        Token::new(token.token.secret(), expires)
            .map_err(|error| error.prefixed_by(self.kind.name()))
    }

    fn credential(&self, limit: Duration) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let environment = &self.settings.values().environment;
        let variables = VARIABLES.iter().filter_map(|name| Some((*name, environment.get(name)?)));
        let variables = variables.map(|(name, value)| (name, value.to_owned())).collect();
        let shell = Some(Arc::new(Shell::new(variables, limit)) as _);
        let tenant_id = self.tenant.clone();
        Ok(match self.kind {
            CredentialKind::AzureDeveloperCli => {
                let options = AzureDeveloperCliCredentialOptions { executor: shell, tenant_id };
                AzureDeveloperCliCredential::new(Some(options))?
            }
            _ => {
                let options = AzureCliCredentialOptions {
                    executor: shell,
                    tenant_id,
                    ..AzureCliCredentialOptions::default()
                };
                AzureCliCredential::new(Some(options))?
            }
        })
    }

    fn failed(&self, error: &azure_core::Error) -> Error {
        // The outer error only adds the credential's name and a link.
        let inner = error.source().and_then(|source| source.downcast_ref::<azure_core::Error>());
        let text = outside::without_tokens(&outside::causes(inner.unwrap_or(error)));
        let text = if text.is_empty() { "the program failed without a message" } else { &text };
        let failed =
            Error::new(ErrorKind::Credential, shortened(text, 600)).prefixed_by(self.kind.name());
        match text.contains("not found on PATH") {
            true => failed.hint("install the tool and log in, or choose another credential"),
            false => failed,
        }
    }
}
