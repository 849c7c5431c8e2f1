//! Credentials of the official identity crate.

use super::missing;
use crate::{
    Error, ErrorKind, Result, Settings,
    error::{one_line, shortened},
    settings::CredentialKind,
    token::Token,
    transport::Limited,
};
use azure_core::{
    cloud::{CloudConfiguration, CustomConfiguration},
    credentials::{Secret, TokenCredential},
    http::{ClientOptions, ExponentialRetryOptions, RetryOptions, Transport},
};
use azure_identity::{
    AzureCliCredential, AzureDeveloperCliCredential, ClientAssertionCredentialOptions,
    ClientSecretCredential, ClientSecretCredentialOptions, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};
use std::{
    error::Error as _,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};
use zeroize::Zeroizing;

type Make = Box<dyn Fn(Duration) -> azure_core::Result<Arc<dyn TokenCredential>> + Send + Sync>;

/// A credential of the official crate, made anew for every token: it keeps a token cache that it
/// would answer from after the service has refused that very token.
pub(crate) struct SdkCredential {
    kind: CredentialKind,
    make: Make,
}

impl SdkCredential {
    fn new(kind: CredentialKind, make: Make) -> Self {
        Self { kind, make }
    }

    pub(super) fn kind(&self) -> CredentialKind {
        self.kind
    }

    pub(super) async fn token(&self, scope: &str, budget: Duration) -> Result<Token> {
        let failed = |error: azure_core::Error| {
            let mut text = one_line(&error.to_string());
            if let Some(cause) = error.source() {
                text = format!("{text}: {}", one_line(&cause.to_string()));
            }
            let text = shortened(&text, 600);
            Error::new(ErrorKind::Credential, format!("{}: {text}", self.kind.name()))
        };
        let credential = (self.make)(budget).map_err(failed)?;
        let token = credential.get_token(&[scope], None).await.map_err(failed)?;
        let seconds = token.expires_on.unix_timestamp()
            - azure_core::time::OffsetDateTime::now_utc().unix_timestamp();
        let life = Duration::from_secs(seconds.clamp(0, 86_400 * 2).unsigned_abs());
        Ok(Token::new(Zeroizing::new(token.token.secret().to_owned()), SystemTime::now() + life))
    }
}

impl fmt::Debug for SdkCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SdkCredential({})", self.kind.name())
    }
}

/// An application with a secret.
pub(super) fn client_secret(settings: &Settings, http: &reqwest::Client) -> Result<SdkCredential> {
    let kind = CredentialKind::ClientSecret;
    let values = settings.values();
    let tenant = required(kind, &values.tenant_id, "tenant-id (AZURE_TENANT_ID)")?;
    let client = required(kind, &values.client_id, "client-id (AZURE_CLIENT_ID)")?;
    let secret = values
        .client_secret
        .clone()
        .ok_or_else(|| missing(kind, "client-secret-file or AZURE_CLIENT_SECRET"))?;
    let options = client_options(settings, http);
    Ok(SdkCredential::new(
        kind,
        Box::new(move |budget| {
            let secret = Secret::new(secret.as_str().to_owned());
            let options =
                ClientSecretCredentialOptions { client_options: within(&options, budget) };
            ClientSecretCredential::new(&tenant, client.clone(), secret, Some(options))
                .map(|credential| credential as Arc<dyn TokenCredential>)
        }),
    ))
}

/// A federated token of a Kubernetes service account; its file is read again each time.
pub(super) fn workload_identity(
    settings: &Settings,
    http: &reqwest::Client,
) -> Result<SdkCredential> {
    let kind = CredentialKind::WorkloadIdentity;
    let values = settings.values();
    let tenant = required(kind, &values.tenant_id, "tenant-id (AZURE_TENANT_ID)")?;
    let client = required(kind, &values.client_id, "client-id (AZURE_CLIENT_ID)")?;
    let file = values
        .environment
        .get("AZURE_FEDERATED_TOKEN_FILE")
        .ok_or_else(|| missing(kind, "AZURE_FEDERATED_TOKEN_FILE"))?
        .to_owned();
    let options = client_options(settings, http);
    Ok(SdkCredential::new(
        kind,
        Box::new(move |budget| {
            let options = WorkloadIdentityCredentialOptions {
                credential_options: ClientAssertionCredentialOptions {
                    client_options: within(&options, budget),
                },
                client_id: Some(client.clone()),
                tenant_id: Some(tenant.clone()),
                token_file_path: Some(file.clone().into()),
            };
            WorkloadIdentityCredential::new(Some(options))
                .map(|credential| credential as Arc<dyn TokenCredential>)
        }),
    ))
}

/// The Azure CLI's login. It starts the program `az`.
pub(super) fn azure_cli(settings: &Settings) -> Result<SdkCredential> {
    refuse_secure_execution(CredentialKind::AzureCli, settings)?;
    Ok(SdkCredential::new(
        CredentialKind::AzureCli,
        Box::new(|_| {
            AzureCliCredential::new(None).map(|credential| credential as Arc<dyn TokenCredential>)
        }),
    ))
}

/// The Azure Developer CLI's login. It starts the program `azd`.
pub(super) fn azure_developer_cli(settings: &Settings) -> Result<SdkCredential> {
    refuse_secure_execution(CredentialKind::AzureDeveloperCli, settings)?;
    Ok(SdkCredential::new(
        CredentialKind::AzureDeveloperCli,
        Box::new(|_| {
            AzureDeveloperCliCredential::new(None)
                .map(|credential| credential as Arc<dyn TokenCredential>)
        }),
    ))
}

/// The shared connections, and the cloud's authority unless the environment names another.
fn client_options(settings: &Settings, http: &reqwest::Client) -> ClientOptions {
    let authority = settings
        .values()
        .environment
        .get("AZURE_AUTHORITY_HOST")
        .unwrap_or(settings.cloud().authority());
    let mut cloud = CustomConfiguration::default();
    cloud.authority_host = authority.to_owned();
    ClientOptions {
        transport: Some(Transport::new(Limited::new(http.clone()))),
        cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
        ..ClientOptions::default()
    }
}

/// The same with as many retries as fit the budget.
fn within(options: &ClientOptions, budget: Duration) -> ClientOptions {
    let budget = azure_core::time::Duration::try_from(budget * 8 / 10).unwrap_or_default();
    let retry = ExponentialRetryOptions { max_total_elapsed: budget, ..Default::default() };
    ClientOptions { retry: RetryOptions::exponential(retry), ..options.clone() }
}

/// A command-line tool is found through the environment, which a secure-execution process must
/// not trust.
fn refuse_secure_execution(kind: CredentialKind, settings: &Settings) -> Result<()> {
    if settings.values().secure {
        return Err(missing(kind, "a process without special privileges"));
    }
    Ok(())
}

fn required(kind: CredentialKind, value: &Option<String>, what: &str) -> Result<String> {
    value.clone().ok_or_else(|| missing(kind, what))
}
