//! Name, connection, TLS, and a request without a token.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Uri,
    header::{DATE, HeaderName, HeaderValue, USER_AGENT, WWW_AUTHENTICATE},
};
use tokio::time::timeout;
use url::Url;

use super::{
    Step,
    observer::{Record, Recorder},
};
use crate::{
    Client, Error, ErrorKind, KeyReference, Result, Settings,
    error::one_line,
    transport::{Failure, Server, WholeResponse, proxy, unreachable_server},
};

/// The connection to a server. A step is `None` if an earlier one failed.
#[non_exhaustive]
pub struct ServerProbe {
    /// The server's URL.
    pub url: Url,
    /// The proxy, as host and port. Name and connection are then those of the proxy.
    pub proxy: Option<String>,
    /// The addresses of the name.
    pub dns: Option<Step<Vec<IpAddr>>>,
    /// The address of the connection, a proxy's tunnel included.
    pub tcp: Option<Step<SocketAddr>>,
    /// The negotiated parameters.
    pub tls: Option<Step<TlsFacts>>,
    /// The server's certificate, trusted or not.
    pub certificate: Option<CertificateFacts>,
    /// The response to a request without a token.
    pub answer: Option<Step<AnswerFacts>>,
    server: Option<Server>,
    limit: Duration,
}

/// A TLS connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsFacts {
    /// `TLSv1.3`.
    pub version: String,
    /// The group of the key exchange: `X25519MLKEM768`.
    pub group: String,
    /// Whether the key exchange is post-quantum.
    pub post_quantum: bool,
    /// The cipher suite.
    pub cipher: String,
    /// The negotiated HTTP version: `h2`.
    pub protocol: Option<String>,
}

/// A server's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateFacts {
    /// The subject.
    pub subject: String,
    /// The issuer, which reveals a proxy that intercepts TLS.
    pub issuer: String,
    /// Start of the validity period.
    pub not_before: SystemTime,
    /// End of the validity period.
    pub not_after: SystemTime,
    /// Why it is not trusted; `None` if it is.
    pub problem: Option<CertificateProblem>,
}

/// Why a server's certificate is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateProblem {
    /// No trusted root has issued it.
    UnknownIssuer,
    /// A trusted root has the issuer's name, but another key.
    BadSignature,
    /// It is not valid yet, or no longer.
    OutsideValidity,
    /// It is for another host.
    OtherName,
    /// Another reason, in the error of the step.
    Other,
}

/// The response to a request without a token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnswerFacts {
    /// The status: a vault returns 401.
    pub status: u16,
    /// The server's time, to the second. A Managed HSM may not send it.
    pub date: Option<SystemTime>,
    /// The Microsoft Entra tenant of the vault, from the challenge.
    pub tenant: Option<String>,
    /// The Azure region.
    pub region: Option<String>,
}

/// A response, with the time until its head arrived and until its end.
pub(super) struct Exchange {
    pub(super) response: WholeResponse,
    pub(super) first_byte: Duration,
    pub(super) whole: Duration,
}

impl Client {
    /// Connects to the vault of `reference` and sends one request without a token, to which the
    /// service responds with a challenge. Feature `probe`.
    ///
    /// # Errors
    /// The setting `allowed-keys` does not list the key; nothing is sent.
    pub async fn probe_server(&self, reference: &KeyReference) -> Result<ServerProbe> {
        let destination = self.settings().destination(reference)?;
        Ok(ServerProbe::run(self.settings(), destination.url).await)
    }
}

impl ServerProbe {
    /// The total time of all steps.
    pub fn took(&self) -> Duration {
        let steps = [
            self.dns.as_ref().map(|step| step.took),
            self.tcp.as_ref().map(|step| step.took),
            self.tls.as_ref().map(|step| step.took),
            self.answer.as_ref().map(|step| step.took),
        ];
        steps.into_iter().flatten().sum()
    }

    async fn run(settings: &Settings, url: Url) -> Self {
        let mut probe = Self {
            url,
            proxy: None,
            dns: None,
            tcp: None,
            tls: None,
            certificate: None,
            answer: None,
            server: None,
            limit: settings.timeout(),
        };
        if let Err(error) = probe.connect(settings).await {
            probe.dns = Some(Step { took: Duration::ZERO, outcome: Err(error) });
        }
        probe
    }

    /// Sends a request without a token, and records the connection that it opens.
    ///
    /// # Errors
    /// The settings allow no connection.
    async fn connect(&mut self, settings: &Settings) -> Result<()> {
        let invalid = |error: &dyn fmt::Display| Error::new(ErrorKind::Settings, error.to_string());
        let target = self.url.join("keys?api-version=7.4").map_err(|error| invalid(&error))?;
        let target: Uri = target.as_str().parse().map_err(|error| invalid(&error))?;
        let proxy = proxy(settings, &target)?;
        let hop = proxy.as_ref().map_or(&target, |proxy| proxy.uri());
        let host = hop.host().unwrap_or_default();
        let usual = if hop.scheme_str() == Some("http") { 80 } else { 443 };
        let port = hop.port_u16().unwrap_or(usual);
        self.proxy = proxy.is_some().then(|| format!("{host}:{port}"));
        let recorder = Arc::new(Recorder::start(host, port));
        self.server = Some(Server::observed(settings, Arc::<Recorder>::clone(&recorder), &target)?);
        let outcome = self.exchange(Method::GET, &target, &[], Bytes::new()).await;
        let mut record = recorder.read();
        if record.is_connected() {
            let took = record.lap();
            let outcome = outcome.map(|exchange| AnswerFacts::of(&exchange.response));
            self.answer = Some(Step { took, outcome });
        } else if let Err(error) = outcome {
            record.fail(error);
        }
        let Record { dns, tcp, tls, certificate, .. } = record;
        (self.dns, self.tcp, self.tls, self.certificate) = (dns, tcp, tls, certificate);
        Ok(())
    }

    /// Sends a request over the connection.
    pub(super) async fn exchange(
        &self,
        method: Method,
        target: &Uri,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<Exchange> {
        let Some(server) = &self.server else {
            return Err(Error::new(ErrorKind::Network, "not connected"));
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        let agent = concat!("akv-core/", env!("CARGO_PKG_VERSION"));
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(agent));
        request.headers_mut().extend(headers.iter().cloned());
        let (start, head) = (Instant::now(), OnceLock::new());
        let exchange = server.exchange_with(target, request, || {
            let _ = head.set(start.elapsed());
        });
        let Ok(outcome) = timeout(self.limit, exchange).await else {
            let text = format!("no response within {:?}", self.limit);
            return Err(Error::new(ErrorKind::Timeout, text));
        };
        let whole = start.elapsed();
        match outcome {
            Ok(response) => {
                Ok(Exchange { response, first_byte: head.get().copied().unwrap_or(whole), whole })
            }
            Err(error) => match unreachable_server(&error, false, self.url.authority()) {
                Failure::Final(error)
                | Failure::Transient(error, _)
                | Failure::StaleConnection(error) => Err(error),
            },
        }
    }
}

impl TlsFacts {
    pub(super) fn of(connection: &rustls::ClientConnection) -> Self {
        let group = connection.negotiated_key_exchange_group().map(|group| group.name());
        let group = group.map(|name| format!("{name:?}")).unwrap_or_default();
        let version = match connection.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3".to_owned(),
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
            other => other.map(|version| format!("{version:?}")).unwrap_or_default(),
        };
        let cipher = connection.negotiated_cipher_suite();
        let protocol = connection.alpn_protocol();
        Self {
            version,
            post_quantum: group.contains("MLKEM"),
            group,
            cipher: cipher.map(|suite| format!("{:?}", suite.suite())).unwrap_or_default(),
            protocol: protocol.map(|name| String::from_utf8_lossy(name).into_owned()),
        }
    }
}

impl AnswerFacts {
    fn of(response: &WholeResponse) -> Self {
        let text = |name: &str| {
            response.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let date = text(DATE.as_str());
        Self {
            status: response.status.as_u16(),
            date: date.and_then(|text| httpdate::parse_http_date(&text).ok()),
            tenant: text(WWW_AUTHENTICATE.as_str()).as_deref().and_then(tenant),
            region: text("x-ms-keyvault-region").map(|text| one_line(&text)),
        }
    }
}

/// The tenant in `Bearer authorization="https://login.windows.net/TENANT", …`.
fn tenant(challenge: &str) -> Option<String> {
    let (_, rest) = challenge.split_once("authorization=\"")?;
    let url = Url::parse(rest.split('"').next()?).ok()?;
    let tenant = url.path_segments()?.next()?.to_owned();
    (!tenant.is_empty()).then_some(tenant)
}

impl fmt::Debug for ServerProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerProbe")
            .field("url", &self.url.as_str())
            .field("dns", &self.dns)
            .field("tcp", &self.tcp)
            .field("tls", &self.tls)
            .field("answer", &self.answer)
            .finish_non_exhaustive()
    }
}
