//! Where access tokens come from.

mod access_token;
mod auto;
mod cli;
mod entra;
mod managed_identity;
mod token;

pub(crate) use token::Token;

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
    time::Duration,
};

use access_token::GivenToken;
use auto::Auto;
use cli::CommandLine;
use entra::Application;
use managed_identity::ManagedIdentity;
use process_abi::descriptor::StandardStreams;
use zeroize::Zeroizing;

use crate::{Error, ErrorKind, Result, Settings, settings::CredentialKind, transport::Http};

/// A source of access tokens, as configured.
#[derive(Debug)]
pub(crate) enum Credential {
    Auto(Box<Auto>),
    Given(GivenToken),
    Application(Application),
    ManagedIdentity(ManagedIdentity),
    CommandLine(CommandLine),
}

impl Credential {
    /// The configured credential. This sends nothing.
    ///
    /// # Errors
    /// A setting that this credential needs is missing.
    pub(crate) fn new(settings: &Settings, http: &Http) -> Result<Self> {
        Self::of_kind(settings.values().credential, settings, http)
    }

    /// One credential.
    ///
    /// # Errors
    /// A setting that it needs is missing.
    pub(crate) fn of_kind(kind: CredentialKind, settings: &Settings, http: &Http) -> Result<Self> {
        Ok(match kind {
            CredentialKind::Auto => Self::Auto(Box::new(Auto::new(settings, http))),
            CredentialKind::AccessToken => Self::Given(GivenToken::new(settings)?),
            CredentialKind::ManagedIdentity => {
                Self::ManagedIdentity(ManagedIdentity::new(settings, http)?)
            }
            CredentialKind::ClientSecret
            | CredentialKind::ClientCertificate
            | CredentialKind::WorkloadIdentity => {
                Self::Application(Application::new(kind, settings, http)?)
            }
            CredentialKind::AzureCli | CredentialKind::AzureDeveloperCli => {
                Self::CommandLine(CommandLine::new(kind, settings)?)
            }
        })
    }

    /// The credentials of `auto`, in their order.
    #[cfg(feature = "probe")]
    pub(crate) fn automatic(settings: &Settings) -> [CredentialKind; 6] {
        auto::order(settings)
    }

    /// A new token for `scope`. Transient failures are retried within `budget`.
    pub(crate) async fn token(&self, scope: &str, budget: Duration) -> Result<Token> {
        match self {
            Self::Auto(auto) => Box::pin(auto.token(scope, budget)).await,
            Self::Given(given) => given.token(),
            Self::Application(application) => application.token(scope, budget).await,
            Self::ManagedIdentity(identity) => identity.token(scope, budget).await,
            Self::CommandLine(tool) => tool.token(scope, budget).await,
        }
    }

    /// Whether the source has a different token from the last one that it returned.
    pub(crate) fn has_changed(&self) -> bool {
        match self {
            Self::Auto(auto) => auto.has_changed(),
            Self::Given(given) => given.has_changed(),
            Self::Application(_) | Self::ManagedIdentity(_) | Self::CommandLine(_) => false,
        }
    }

    /// The message and the advice for when the service refuses the token of a source that cannot
    /// renew it; `None` for sources that can.
    pub(crate) fn unrenewable(&self) -> Option<(String, String)> {
        match self {
            Self::Auto(auto) => auto.unrenewable(),
            Self::Given(given) => Some(given.unrenewable()),
            Self::Application(_) | Self::ManagedIdentity(_) | Self::CommandLine(_) => None,
        }
    }

    /// The name in the settings; for `auto`, that of the credential in use.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Auto(auto) => return auto.name(),
            Self::Given(_) => CredentialKind::AccessToken,
            Self::Application(application) => application.kind(),
            Self::ManagedIdentity(_) => CredentialKind::ManagedIdentity,
            Self::CommandLine(tool) => tool.kind(),
        }
        .name()
    }
}

/// Parses responses of identity services, for fuzzing. The request contained this secret.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_answers(data: &[u8], secret: &str) -> Error {
    let _ = read_machine_token(data);
    let _ = std::str::from_utf8(data).map(access_token::expiry);
    entra::read_refusal(data, secret)
}

/// Parses a managed identity's token response, for fuzzing and tests.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_machine_token(data: &[u8]) -> Result<()> {
    managed_identity::read_answer(data)
}

/// The error for a credential that lacks a setting.
fn missing(credential: CredentialKind, what: &str) -> Error {
    Error::new(ErrorKind::Credential, format!("the credential {} needs {what}", credential.name()))
}

/// Reads a file of at most `limit` bytes, without leaving copies of it in memory.
fn small_text(path: &Path, limit: u64) -> io::Result<Zeroizing<String>> {
    let _streams = StandardStreams::hold();
    let room = usize::try_from(limit).unwrap_or_default() + 1;
    let mut text = Zeroizing::new(String::with_capacity(room));
    File::open(path)?.take(limit + 1).read_to_string(&mut text)?;
    if text.len() as u64 > limit {
        return Err(io::Error::other(format!("it is larger than {limit} bytes")));
    }
    Ok(text)
}
