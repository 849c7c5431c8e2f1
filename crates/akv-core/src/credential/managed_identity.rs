//! The managed identity of a virtual machine, an App Service or an Azure Arc server.
//!
//! Written by hand since the official crate reads the environment anew at each request (servers
//! clear it), knows no Azure Arc, and has no setting for the address.
//! Protocols: <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>,
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>,
//! <https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication>.

use crate::{
    Error, ErrorKind, Result, Settings,
    error::{one_line, shortened},
    operation::{Failure, with_deadline},
    token::Token,
};
use reqwest::{RequestBuilder, Response, header};
use serde::{Deserialize, Deserializer};
use std::{
    fmt, fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use url::Url;
use zeroize::Zeroizing;

/// The link-local address of every Azure virtual machine's metadata service.
const IMDS: &str = "http://169.254.169.254";
/// Longest answer in bytes; tokens have some two thousand.
const MAX_BODY: usize = 64 * 1024;
/// Longest secret of Azure Arc in bytes.
const MAX_ARC_SECRET: u64 = 4096;
/// Where Azure Arc may put its secrets.
const ARC_SECRETS: &str = "/var/opt/azcmagent/tokens";
/// Without a metadata service nobody answers at its address; the chain must go on soon.
const CONNECT: Duration = Duration::from_secs(3);

/// How this machine hands out tokens.
enum Source {
    VirtualMachine,
    AppService { header: Zeroizing<String> },
    Arc { secrets: PathBuf },
}

/// The credential `managed-identity`.
pub(crate) struct ManagedIdentity {
    http: reqwest::Client,
    endpoint: Url,
    source: Source,
    client_id: Option<String>,
}

impl ManagedIdentity {
    pub(super) fn new(settings: &Settings, http: &reqwest::Client) -> Result<Self> {
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
                (address.to_owned(), Source::Arc { secrets: ARC_SECRETS.into() })
            }
            (_, _, imds) => {
                let host = imds.unwrap_or(IMDS).trim_end_matches('/');
                (format!("{host}/metadata/identity/oauth2/token"), Source::VirtualMachine)
            }
        };
        let endpoint = Url::parse(&address).map_err(|error| {
            let shown = shortened(&address, 100);
            Error::new(
                ErrorKind::Settings,
                format!("the identity endpoint {shown:?} is no URL: {error}"),
            )
        })?;
        Ok(Self {
            http: http.clone(),
            endpoint,
            source,
            client_id: settings.values().client_id.clone(),
        })
    }

    /// Asks for a token. Endpoints that are busy or still starting are asked again.
    pub(super) async fn token(&self, scope: &str, budget: Duration) -> Result<Token> {
        with_deadline(budget * 9 / 10, || async {
            let first = self.send(self.request(scope)).await?;
            let response = match &self.source {
                Source::Arc { secrets } if first.status() == 401 => {
                    let secret = arc_secret(&first, secrets)?;
                    let value = Zeroizing::new(format!("Basic {}", secret.trim()));
                    let request = self.request(scope).header(header::AUTHORIZATION, value.as_str());
                    self.send(request).await?
                }
                _ => first,
            };
            self.read(response).await
        })
        .await
    }

    fn request(&self, scope: &str) -> RequestBuilder {
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
            .extend_pairs(self.client_id.iter().map(|id| ("client_id", id)));
        let request = self.http.get(url);
        match &self.source {
            Source::AppService { header } => request.header("X-IDENTITY-HEADER", header.as_str()),
            _ => request.header("Metadata", "true"),
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let sent = tokio::time::timeout(CONNECT, request.send()).await;
        let reason = match sent {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(error)) if error.is_connect() => "the connection was refused or not answered",
            Ok(Err(_)) => {
                return Err(Failure::Transient(self.error("the connection broke"), None));
            }
            Err(_) => "nobody answers",
        };
        // No metadata service is the normal state outside Azure: not worth the whole deadline.
        Err(Failure::Final(self.error(reason).hint("is this machine in Azure?")))
    }

    async fn read(&self, mut response: Response) -> Result<Token, Failure> {
        let status = response.status().as_u16();
        let mut body = Zeroizing::new(Vec::new());
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_BODY => {
                    body.extend_from_slice(&chunk);
                }
                Ok(Some(_)) => return Err(self.error("the answer is too large").into()),
                Ok(None) => break,
                Err(_) => {
                    return Err(Failure::Transient(self.error("the answer broke off"), None));
                }
            }
        }
        if status == 200 {
            return match serde_json::from_slice::<Answer>(&body) {
                Ok(answer) if !answer.access_token.is_empty() => Ok(answer.into_token()),
                _ => Err(Failure::Transient(self.error("the answer holds no token"), None)),
            };
        }
        let refusal: Refusal = serde_json::from_slice(&body).unwrap_or_default();
        let reason = refusal.error_description.or(refusal.error).unwrap_or_default();
        let error = self.error(&format!("HTTP {status} {}", one_line(shortened(&reason, 300))));
        Err(match status {
            // The metadata service answers so while it starts or is busy.
            404 | 410 | 429 | 500..=599 => Failure::Transient(error, None),
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

/// Azure Arc names a file that only its group may read: proof of being allowed to ask.
fn arc_secret(response: &Response, secrets: &Path) -> Result<Zeroizing<String>> {
    let refuse = |reason: String| Error::new(ErrorKind::Credential, format!("Azure Arc: {reason}"));
    let path = response
        .headers()
        .get(header::WWW_AUTHENTICATE)
        .and_then(|value| value.to_str().ok())
        .and_then(|challenge| challenge.strip_prefix("Basic realm="))
        .map(|path| Path::new(path.trim_matches('"')))
        .ok_or_else(|| refuse("the challenge names no secret file".into()))?;
    let plausible =
        path.parent() == Some(secrets) && path.extension().is_some_and(|end| end == "key");
    if !plausible {
        return Err(refuse(format!("the secret file {path:?} is not in {secrets:?}")));
    }
    let unreadable = |error: std::io::Error| {
        refuse(format!("{path:?} cannot be read: {error}"))
            .hint("add this program's user to the group himds")
    };
    if fs::metadata(path).map_err(unreadable)?.len() > MAX_ARC_SECRET {
        return Err(refuse(format!("{path:?} is larger than {MAX_ARC_SECRET} bytes")));
    }
    fs::read_to_string(path).map(Zeroizing::new).map_err(unreadable)
}

/// The token answer. Numbers come as strings from virtual machines and as numbers from others.
#[derive(Deserialize)]
struct Answer {
    access_token: Zeroizing<String>,
    #[serde(default, deserialize_with = "number")]
    expires_in: Option<u64>,
    #[serde(default, deserialize_with = "number")]
    expires_on: Option<u64>,
}

impl Answer {
    fn into_token(self) -> Token {
        let relative =
            self.expires_in.map(|seconds| SystemTime::now() + Duration::from_secs(seconds));
        let absolute = self.expires_on.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
        // The relative time does not depend on the clock's being right.
        let expires = relative.or(absolute).unwrap_or_else(|| SystemTime::now() + CONNECT);
        Token::new(self.access_token, expires)
    }
}

#[derive(Default, Deserialize)]
struct Refusal {
    error: Option<String>,
    error_description: Option<String>,
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    Ok(match Option::<Either>::deserialize(deserializer)? {
        Some(Either::Number(number)) => Some(number),
        // A date, as old endpoints send, is no number; the other field says it too.
        Some(Either::Text(text)) => text.parse().ok(),
        None => None,
    }
    .filter(|seconds| *seconds < u64::from(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_in_both_forms() {
        for text in [
            r#"{"access_token":"t","expires_in":"3600","expires_on":"4000000000"}"#,
            r#"{"access_token":"t","expires_in":3600}"#,
        ] {
            let token = serde_json::from_str::<Answer>(text).unwrap().into_token();
            let life = token.expires().duration_since(SystemTime::now()).unwrap();
            assert!((3590..=3600).contains(&life.as_secs()), "{life:?}");
        }
        let token: Answer =
            serde_json::from_str(r#"{"access_token":"t","expires_on":"4000000000"}"#).unwrap();
        assert_eq!(token.into_token().expires(), UNIX_EPOCH + Duration::from_secs(4_000_000_000));
    }
}
