//! The managed identity of a virtual machine, an App Service or an Azure Arc server.
//!
//! Written by hand, since the official crate reads the environment at each request (servers clear
//! it), does not support Azure Arc, and has no setting for the address. Protocols:
//! <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>,
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>,
//! <https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication>.

mod answer;
mod arc;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    net::IpAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use answer::{ErrorBody, TokenResponse};
use azure_core::http::{
    HttpClient as _, Method, Request, StatusCode,
    headers::{AUTHORIZATION, Headers},
};
use bytes::Bytes;
use tokio::{net::TcpStream, time::timeout};
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::{
    Error, ErrorKind, Result, Settings,
    credential::Token,
    error::{one_line, shortened},
    outside,
    process::driver::above_standard_streams,
    settings::IdentityId,
    transport::{self, Http},
    transport::{Failure, with_deadline},
};

/// The link-local address of every Azure virtual machine's metadata service.
const IMDS: &str = "http://169.254.169.254";
/// Time limit for a connection. Outside Azure nothing responds at the address of the metadata
/// service, which is on the machine itself or its host; the chain must continue soon.
const CONNECT: Duration = Duration::from_secs(3);
/// The pause that the metadata service requests after an internal error.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// The token endpoint of this machine.
enum Source {
    VirtualMachine,
    AppService { header: Zeroizing<String> },
    Arc { secrets: PathBuf },
}

impl Source {
    /// The query parameter that selects an identity.
    fn parameter<'a>(&self, id: &'a IdentityId) -> (&'static str, &'a str) {
        match (id, self) {
            (IdentityId::Client(id), _) => ("client_id", id),
            (IdentityId::Resource(id), Self::AppService { .. }) => ("mi_res_id", id),
            (IdentityId::Resource(id), _) => ("msi_res_id", id),
            (IdentityId::Object(id), Self::AppService { .. }) => ("principal_id", id),
            (IdentityId::Object(id), _) => ("object_id", id),
        }
    }
}

/// A complete response.
struct Response {
    status: StatusCode,
    headers: Headers,
    body: Bytes,
}

/// The credential `managed-identity`.
pub(crate) struct ManagedIdentity {
    http: Http,
    endpoint: Url,
    source: Source,
    /// The user-assigned identity; `None` for the system-assigned one.
    id: Option<IdentityId>,
}

impl ManagedIdentity {
    pub(super) fn new(settings: &Settings, http: &Http) -> Result<Self> {
        let environment = &settings.values().environment;
        let (address, source) = match (
            environment.get("IDENTITY_ENDPOINT"),
            environment.get("IDENTITY_HEADER"),
            environment.get("IMDS_ENDPOINT"),
        ) {
            (Some(address), Some(header), _) => (
                address.to_owned(),
                Source::AppService { header: Zeroizing::new(header.to_owned()) },
            ),
            (Some(address), None, Some(_)) => {
                if settings.values().client_id.is_some() {
                    let text = "the credential managed-identity: Azure Arc supports only the \
                                machine's system-assigned identity";
                    return Err(Error::new(ErrorKind::Credential, text).hint("unset client-id"));
                }
                (address.to_owned(), Source::Arc { secrets: arc::FOLDER.into() })
            }
            (_, _, imds) => {
                let host = imds.unwrap_or(IMDS).trim_end_matches('/');
                (format!("{host}/metadata/identity/oauth2/token"), Source::VirtualMachine)
            }
        };
        let endpoint = outside::url(&address).ok();
        let endpoint = endpoint.filter(|url| matches!(url.scheme(), "http" | "https"));
        let endpoint = endpoint.filter(|url| !outside::has_user(url)).ok_or_else(|| {
            let shown = outside::without_users(shortened(&address, 100));
            let text = format!(
                "the identity endpoint {:?} is not an http URL without a user",
                one_line(&shown)
            );
            Error::new(ErrorKind::Settings, text)
        })?;
        Ok(Self { http: http.clone(), endpoint, source, id: settings.values().client_id.clone() })
    }

    /// Requests a token. Requests to endpoints that are busy or still starting are retried.
    pub(super) async fn token(&self, scope: &str, budget: Duration) -> Result<Token> {
        let start = Instant::now();
        self.connect(CONNECT.min(budget / 3)).await?;
        with_deadline((budget * 9 / 10).saturating_sub(start.elapsed()), || async {
            let first = self.send(self.request(scope)).await?;
            let response = match &self.source {
                Source::Arc { secrets } if first.status == StatusCode::Unauthorized => {
                    let secret = arc::secret(&first.headers, secrets)?;
                    let mut request = self.request(scope);
                    request.insert_header(AUTHORIZATION, format!("Basic {}", secret.as_str()));
                    self.send(request).await?
                }
                _ => first,
            };
            self.read(&response)
        })
        .await
    }

    fn request(&self, scope: &str) -> Request {
        let resource = scope.strip_suffix("/.default").unwrap_or(scope);
        let version = match self.source {
            Source::VirtualMachine => "2018-02-01",
            Source::AppService { .. } => "2019-08-01",
            Source::Arc { .. } => "2020-06-01",
        };
        let mut url = self.endpoint.clone();
        url.query_pairs_mut()
            .append_pair("api-version", version)
            .append_pair("resource", resource)
            .extend_pairs(self.id.iter().map(|id| self.source.parameter(id)));
        let mut request = Request::new(url, Method::Get);
        match &self.source {
            Source::AppService { header } => {
                request.insert_header("x-identity-header", header.as_str().to_owned());
            }
            _ => request.insert_header("metadata", "true"),
        }
        request
    }

    /// Checks that the address accepts connections. A machine outside Azure must not wait long for
    /// that, while a metadata service that is present may be slow. A host name, as in App Service
    /// and Azure Arc, is only configured where an endpoint exists.
    async fn connect(&self, limit: Duration) -> Result<()> {
        let address = match self.endpoint.host() {
            Some(Host::Ipv4(address)) => IpAddr::from(address),
            Some(Host::Ipv6(address)) => IpAddr::from(address),
            _ => return Ok(()),
        };
        let port = self.endpoint.port_or_known_default().unwrap_or(80);
        let connecting = above_standard_streams(TcpStream::connect((address, port)));
        let reason = match timeout(limit, connecting).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => format!("cannot connect: {error}"),
            Err(_) => "no response".to_owned(),
        };
        Err(self
            .error(&reason)
            .hint("check that this machine is in Azure or connected by Azure Arc"))
    }

    async fn send(&self, request: Request) -> Result<Response, Failure> {
        let broken = |error: azure_core::Error| {
            Failure::Transient(self.error(&outside::causes(&error)), None)
        };
        let response = self.http.execute_request(&request).await.map_err(broken)?;
        let (status, headers, body) = response.deconstruct();
        Ok(Response { status, headers, body: body.collect().await.map_err(broken)? })
    }

    fn read(&self, response: &Response) -> Result<Token, Failure> {
        let status = u16::from(response.status);
        let body = &response.body;
        if status == 200 {
            return match outside::json::<TokenResponse>(body) {
                Ok(answer) => {
                    Ok(answer.into_token().map_err(|error| self.error(error.message()))?)
                }
                Err(why) => {
                    let text = format!("the response contains no token: {why}");
                    Err(Failure::Transient(self.error(&text), None))
                }
            };
        }
        let refusal: ErrorBody = outside::json(body).unwrap_or_default();
        let reason = refusal.error_description.or(refusal.error).unwrap_or_default();
        let error = self.error(&format!("HTTP {status} {}", one_line(shortened(&reason, 300))));
        let after = transport::retry_after(&response.headers);
        let virtual_machine = matches!(self.source, Source::VirtualMachine);
        Err(match status {
            // The metadata service returns these while it is being updated.
            404 | 410 if virtual_machine => Failure::Transient(error, after),
            429 => Failure::Transient(error, after),
            500..=599 => Failure::Transient(error, after.or(Some(AFTER_ERROR))),
            _ => Failure::Final(error),
        })
    }

    fn error(&self, reason: &str) -> Error {
        let host = self.endpoint.authority();
        Error::new(ErrorKind::Credential, format!("managed identity at {host}: {reason}"))
    }
}

impl fmt::Debug for ManagedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedIdentity")
            .field("endpoint", &self.endpoint.as_str())
            .finish_non_exhaustive()
    }
}

/// Parses an endpoint's response, for fuzzing.
#[cfg(any(test, fuzzing))]
pub(super) fn read_answer(body: &[u8]) -> Result<()> {
    let _ = outside::json::<ErrorBody>(body);
    let answer = outside::json::<TokenResponse>(body);
    let answer = answer.map_err(|why| Error::new(ErrorKind::Credential, why))?;
    answer.into_token().map(drop)
}
