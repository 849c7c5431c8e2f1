//! Credentials of applications in Microsoft Entra ID.

mod assertion;
mod refusal;
mod transport;

use std::{
    error::Error as StdError,
    fmt,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use assertion::Assertion;
use azure_core::{
    cloud::{CloudConfiguration, CustomConfiguration},
    credentials::{Secret, TokenCredential},
    error::ErrorKind as SdkErrorKind,
    http::{ClientOptions, RetryOptions, Transport},
};
use azure_identity::{
    ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions,
};
use refusal::TokenError;
use transport::TokenEndpoint;
use url::Url;
use zeroize::Zeroizing;

use super::missing;
use crate::{
    Error, ErrorKind, Result, Settings,
    credential::Token,
    error::{one_line, shortened},
    outside,
    settings::ClientCertificate,
    settings::{CredentialKind, IdentityId},
    transport::{Failure, with_deadline},
    transport::{Http, unreachable_server},
};

/// An application, with its proof of identity.
pub(crate) struct Application {
    kind: CredentialKind,
    authority: Url,
    tenant: String,
    client: String,
    proof: Arc<Proof>,
    http: Http,
}

/// How an application authenticates.
enum Proof {
    Secret(Zeroizing<String>),
    /// With a flag whether to send the whole chain.
    Certificate(Arc<ClientCertificate>, bool),
    /// The file of a token from another issuer, read again for each request.
    Federated(PathBuf),
}

/// Entra ID identifies applications by their client id only.
fn managed_identity_only(kind: CredentialKind) -> Error {
    let text = format!(
        "the credential {} needs an application's client id, and client-id (AZURE_CLIENT_ID) is \
         the resource or object id of a managed identity",
        kind.name()
    );
    Error::new(ErrorKind::Settings, text)
        .hint("set client-id to the application's client id, or use managed-identity")
}

impl Application {
    /// The application of `client-secret`, `client-certificate` or `workload-identity`.
    pub(super) fn new(kind: CredentialKind, settings: &Settings, http: &Http) -> Result<Self> {
        let values = settings.values();
        let lacks = |what| move || missing(kind, what);
        let required = |value: &Option<String>, what| value.clone().ok_or_else(lacks(what));
        let tenant = required(&values.tenant_id, "tenant-id (AZURE_TENANT_ID)")?;
        let client = match &values.client_id {
            Some(IdentityId::Client(id)) => id.clone(),
            Some(_) => return Err(managed_identity_only(kind)),
            None => return Err(missing(kind, "client-id (AZURE_CLIENT_ID)")),
        };
        let proof = match kind {
            CredentialKind::ClientCertificate => {
                let what = "client-certificate-file (AZURE_CLIENT_CERTIFICATE_PATH)";
                let certificate = values.client_certificate.clone();
                let chain = values.environment.get("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN");
                let chain = chain.is_some_and(|v| v == "1" || v.eq_ignore_ascii_case("true"));
                Proof::Certificate(certificate.ok_or_else(lacks(what))??, chain)
            }
            CredentialKind::WorkloadIdentity => {
                let file = values.environment.get("AZURE_FEDERATED_TOKEN_FILE");
                Proof::Federated(file.ok_or_else(lacks("AZURE_FEDERATED_TOKEN_FILE"))?.into())
            }
            _ => {
                let what = "client-secret-file or AZURE_CLIENT_SECRET";
                Proof::Secret(values.client_secret.clone().ok_or_else(lacks(what))?)
            }
        };
        let authority = authority(settings)?;
        let proof = Arc::new(proof);
        Ok(Self { kind, authority, tenant, client, proof, http: http.clone() })
    }

    /// The service principal that the settings describe: with a secret or a certificate.
    pub(super) fn service_principal(settings: &Settings) -> CredentialKind {
        let values = settings.values();
        match (&values.client_secret, &values.client_certificate) {
            (None, Some(_)) => CredentialKind::ClientCertificate,
            _ => CredentialKind::ClientSecret,
        }
    }

    pub(super) fn kind(&self) -> CredentialKind {
        self.kind
    }

    /// Requests a token. Transient failures, including broken responses, are retried.
    pub(super) async fn token(&self, scope: &str, budget: Duration) -> Result<Token> {
        with_deadline(budget * 9 / 10, || async {
            // Created for each request: the credential has a token cache from which it would return
            // a token that the vault has just refused.
            let credential = self.credential().map_err(|error| self.failure(&error))?;
            let token = credential.get_token(&[scope], None).await;
            let token = token.map_err(|error| self.failure(&error))?;
            let left = token.expires_on - azure_core::time::OffsetDateTime::now_utc();
            let left = Duration::try_from(left).unwrap_or_default();
            let expires = SystemTime::now() + left.min(Duration::from_secs(172_800));
            Ok(Token::new(token.token.secret(), expires)?)
        })
        .await
        .map_err(|error| error.prefixed_by(self.kind.name()))
    }

    fn credential(&self) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host = self.authority.to_string();
        let client_options = ClientOptions {
            transport: Some(Transport::new(TokenEndpoint::new(self.http.clone()))),
            cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
            // `with_deadline` also detects broken bodies, and has the deadline.
            retry: RetryOptions::none(),
            ..ClientOptions::default()
        };
        let (tenant, client) = (self.tenant.clone(), self.client.clone());
        if let Proof::Secret(secret) = &*self.proof {
            let secret = Secret::new(secret.as_str().to_owned());
            let options = Some(ClientSecretCredentialOptions { client_options });
            return Ok(ClientSecretCredential::new(&tenant, client, secret, options)?);
        }
        let audience = self.authority.join(&format!("/{tenant}/oauth2/v2.0/token"))?;
        let assertion = Assertion::new(Arc::clone(&self.proof), audience, client.clone());
        let options = Some(ClientAssertionCredentialOptions { client_options });
        Ok(ClientAssertionCredential::new(tenant, client, assertion, options)?)
    }

    /// Classifies a failure of the official credential.
    fn failure(&self, error: &azure_core::Error) -> Failure {
        if let Some(refusal) = find::<TokenError>(error) {
            return refusal.failure();
        }
        let host = self.authority.authority();
        match find::<azure_core::Error>(error).unwrap_or(error) {
            error if matches!(error.kind(), SdkErrorKind::Io | SdkErrorKind::Connection) => {
                let connecting = *error.kind() == SdkErrorKind::Connection;
                match unreachable_server(error, connecting, host) {
                    Failure::Final(error) if error.kind() == ErrorKind::Network => {
                        let hint = "check the network, cloud and AZURE_AUTHORITY_HOST";
                        Failure::Final(error.hint(hint))
                    }
                    other => other,
                }
            }
            error => Failure::Final(Error::new(ErrorKind::Credential, outside::causes(error))),
        }
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Application({}, {:?})", self.kind.name(), self.client)
    }
}

/// The cloud's authority unless the environment names another.
fn authority(settings: &Settings) -> Result<Url> {
    const VARIABLE: &str = "AZURE_AUTHORITY_HOST";
    let text = settings.values().environment.get(VARIABLE);
    let text = text.unwrap_or(settings.cloud().authority());
    // Some configurations contain only the host.
    let full = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = outside::url(&full).ok().filter(|url| url.scheme() == "https" && url.has_host());
    url.filter(|url| !outside::has_user(url)).ok_or_else(|| {
        let shown = outside::without_users(shortened(text, 100));
        let shown = one_line(&shown);
        let text = format!("invalid setting {VARIABLE} = {shown:?}: expected an https URL");
        Error::new(ErrorKind::Settings, text)
    })
}

/// The innermost cause of type `T`.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut found = None;
    let mut next = Some(error);
    while let Some(error) = next {
        found = error.downcast_ref::<T>().or(found);
        next = error.source();
    }
    found
}

/// Parses the authority's error response to a request with this secret, for fuzzing.
#[cfg(any(test, fuzzing))]
pub(super) fn read_refusal(body: &[u8], secret: &str) -> Error {
    refusal::refusal("login.example", 400, body, &[Zeroizing::new(secret.to_owned())])
}
