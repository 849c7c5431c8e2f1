//! Where access tokens come from.

mod access_token;
mod auto;
mod managed_identity;
mod sdk;

use crate::{Error, ErrorKind, Result, Settings, settings::CredentialKind, token::Token};
use access_token::GivenToken;
use auto::Auto;
use managed_identity::ManagedIdentity;
use sdk::SdkCredential;
use std::time::Duration;

/// A source of access tokens, as the settings name it.
#[derive(Debug)]
pub(crate) enum Credential {
    Auto(Box<Auto>),
    Given(GivenToken),
    ManagedIdentity(ManagedIdentity),
    Sdk(SdkCredential),
}

impl Credential {
    /// The configured credential. Nothing is sent yet.
    ///
    /// # Errors
    /// A setting that this credential needs is missing.
    pub(crate) fn new(settings: &Settings, http: &reqwest::Client) -> Result<Self> {
        Self::of_kind(settings.values().credential, settings, http)
    }

    fn of_kind(kind: CredentialKind, settings: &Settings, http: &reqwest::Client) -> Result<Self> {
        Ok(match kind {
            CredentialKind::Auto => Self::Auto(Box::new(Auto::new(settings, http))),
            CredentialKind::AccessToken => Self::Given(GivenToken::new(settings)?),
            CredentialKind::ManagedIdentity => {
                Self::ManagedIdentity(ManagedIdentity::new(settings, http)?)
            }
            CredentialKind::ClientSecret => Self::Sdk(sdk::client_secret(settings, http)?),
            CredentialKind::WorkloadIdentity => Self::Sdk(sdk::workload_identity(settings, http)?),
            CredentialKind::AzureCli => Self::Sdk(sdk::azure_cli(settings)?),
            CredentialKind::AzureDeveloperCli => Self::Sdk(sdk::azure_developer_cli(settings)?),
            CredentialKind::ClientCertificate => {
                let file = settings.values().client_certificate_file.as_deref();
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("the credential client-certificate ({file:?}) is not built in yet"),
                )
                .hint("use client-secret, workload-identity or managed-identity"));
            }
        })
    }

    /// A new token for `scope`. Passing failures are ridden out within `budget`.
    pub(crate) async fn token(&self, scope: &str, budget: Duration) -> Result<Token> {
        match self {
            Self::Auto(auto) => Box::pin(auto.token(scope, budget)).await,
            Self::Given(given) => given.token(),
            Self::ManagedIdentity(identity) => identity.token(scope, budget).await,
            Self::Sdk(sdk) => sdk.token(scope, budget).await,
        }
    }

    /// Whether the source holds another token than the last one it gave.
    pub(crate) fn has_changed(&self) -> bool {
        match self {
            Self::Auto(auto) => auto.has_changed(),
            Self::Given(given) => given.has_changed(),
            Self::ManagedIdentity(_) | Self::Sdk(_) => false,
        }
    }

    /// The name in the settings.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Auto(_) => CredentialKind::Auto,
            Self::Given(_) => CredentialKind::AccessToken,
            Self::ManagedIdentity(_) => CredentialKind::ManagedIdentity,
            Self::Sdk(sdk) => sdk.kind(),
        }
        .name()
    }
}

/// The error for a credential that lacks a setting.
fn missing(credential: CredentialKind, what: &str) -> Error {
    Error::new(ErrorKind::Credential, format!("the credential {} needs {what}", credential.name()))
}
