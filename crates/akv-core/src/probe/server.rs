//! Name, connection, TLS, and a request without a token.

use super::{
    Step,
    certificate::RecordingVerifier,
    connect::{self, Stream},
};
use crate::{
    Client, Error, ErrorKind, KeyReference, Result, Settings,
    error::one_line,
    outside::causes,
    transport::{proxies, tls_config, tls_verifier},
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    HeaderMap, Method, Request, StatusCode, Uri,
    client::conn::{http1, http2},
    header::{DATE, HOST, HeaderName, HeaderValue, USER_AGENT, WWW_AUTHENTICATE},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::ServerName;
use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use url::Url;

/// Time limit for a connection, equal to the library's own.
const CONNECT: Duration = Duration::from_secs(5);

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
    connection: Option<Connection>,
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

enum Connection {
    One(http1::SendRequest<Full<Bytes>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

/// A request and its response.
pub(super) struct Exchange {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
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
        let limit = settings.timeout();
        let mut probe = Self {
            url,
            proxy: None,
            dns: None,
            tcp: None,
            tls: None,
            certificate: None,
            answer: None,
            connection: None,
            limit,
        };
        let host = probe.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = probe.url.port_or_known_default().unwrap_or(443);
        if let Some(stream) = probe.connect(settings, &host, port).await
            && let Some(stream) = probe.handshake(settings, &host, stream).await
        {
            probe.ask(stream).await;
        }
        probe
    }

    /// Name and connection, through the proxy if there is one.
    async fn connect(
        &mut self,
        settings: &Settings,
        host: &str,
        port: u16,
    ) -> Option<Box<dyn Stream>> {
        let probed = self.url.as_str().parse::<Uri>();
        let probed = probed.map_err(|error| Error::new(ErrorKind::Settings, error.to_string()));
        let intercept = match probed.and_then(|probed| Ok((proxies(settings)?, probed))) {
            Ok((matcher, probed)) => matcher.intercept(&probed),
            Err(error) => {
                self.dns = Some(Step { took: Duration::ZERO, outcome: Err(error) });
                return None;
            }
        };
        let (next_host, next_port) = match &intercept {
            Some(proxy) => {
                let uri = proxy.uri();
                let name = uri.host().unwrap_or_default().to_owned();
                let port = uri.port_u16().unwrap_or(80);
                self.proxy = Some(format!("{name}:{port}"));
                (name, port)
            }
            None => (host.to_owned(), port),
        };
        let dns = Step::run(self.limit, connect::addresses(&next_host, next_port)).await;
        let addresses = dns.outcome.clone();
        let ips = |all: &Vec<SocketAddr>| all.iter().map(SocketAddr::ip).collect();
        self.dns = Some(Step {
            took: dns.took,
            outcome: dns.outcome.as_ref().map(ips).map_err(Error::clone),
        });
        let addresses = addresses.ok()?;
        let tcp = Step::run(CONNECT.min(self.limit), async {
            let (stream, address) = connect::first(&addresses).await?;
            let stream = match &intercept {
                Some(proxy) => connect::through(proxy, stream, settings, host, port).await?,
                None => Box::new(stream),
            };
            Ok((stream, address))
        });
        let Step { took, outcome } = tcp.await;
        let (stream, outcome) = match outcome {
            Ok((stream, address)) => (Some(stream), Ok(address)),
            Err(error) => (None, Err(error)),
        };
        self.tcp = Some(Step { took, outcome });
        stream
    }

    async fn handshake(
        &mut self,
        settings: &Settings,
        host: &str,
        stream: Box<dyn Stream>,
    ) -> Option<TlsStream<Box<dyn Stream>>> {
        let roots = &settings.values().roots;
        let internal = |error: &dyn fmt::Display| {
            Error::new(ErrorKind::Internal, format!("cannot set up TLS: {error}"))
        };
        let recorder =
            tls_verifier(roots).map(|verifier| Arc::new(RecordingVerifier::new(verifier)));
        let step = Step::run(self.limit, async {
            let recorder = recorder.as_ref().map_err(|error| internal(error))?;
            let mut config = tls_config(roots).map_err(|error| internal(&error))?;
            config.dangerous().set_certificate_verifier(Arc::<RecordingVerifier>::clone(recorder));
            config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            let name = ServerName::try_from(host.to_owned()).map_err(|error| internal(&error))?;
            let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
            stream.map_err(|error| no_tls(host, &error))
        });
        let Step { took, outcome } = step.await;
        self.certificate = recorder.ok().and_then(|recorder| recorder.seen());
        let (stream, outcome) = match outcome {
            Ok(stream) => {
                let facts = TlsFacts::of(&stream);
                (Some(stream), Ok(facts))
            }
            Err(error) => (None, Err(error)),
        };
        self.tls = Some(Step { took, outcome });
        stream
    }

    async fn ask(&mut self, stream: TlsStream<Box<dyn Stream>>) {
        let start = Instant::now();
        let target = self.url.join("keys?api-version=7.4").ok().map(|url| url.to_string());
        let outcome = match Connection::over(stream).await {
            Ok(connection) => {
                self.connection = Some(connection);
                let target =
                    target.and_then(|target| target.parse::<Uri>().ok()).unwrap_or_default();
                self.exchange(Method::GET, &target, &[], Bytes::new()).await
            }
            Err(error) => Err(error),
        };
        let outcome = outcome.map(|exchange| AnswerFacts::of(&exchange));
        self.answer = Some(Step { took: start.elapsed(), outcome });
    }

    /// Sends a request over the connection.
    pub(super) async fn exchange(
        &mut self,
        method: Method,
        target: &Uri,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<Exchange> {
        let failed = |error: &(dyn std::error::Error + 'static)| {
            Error::new(ErrorKind::Network, format!("no answer: {}", causes(error)))
        };
        let Some(connection) = &mut self.connection else {
            return Err(Error::new(ErrorKind::Network, "there is no connection"));
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        let (http2, authority) = (matches!(connection, Connection::Two(_)), target.authority());
        let path = target.path_and_query().map_or("/", |path| path.as_str());
        let path = path.parse().unwrap_or_default();
        *request.uri_mut() = if http2 { target.clone() } else { path };
        if let Some(host) = authority.filter(|_| !http2)
            && let Ok(host) = HeaderValue::try_from(host.as_str())
        {
            request.headers_mut().insert(HOST, host);
        }
        let agent = concat!("akv-core/", env!("CARGO_PKG_VERSION"));
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(agent));
        request.headers_mut().extend(headers.iter().cloned());
        let start = Instant::now();
        let sent = async {
            let response = match connection {
                Connection::One(sender) => sender.send_request(request).await,
                Connection::Two(sender) => sender.send_request(request).await,
            };
            let (head, body) = response.map_err(|error| failed(&error))?.into_parts();
            let first_byte = start.elapsed();
            let body = body.collect().await.map_err(|error| failed(&error))?.to_bytes();
            let (status, headers) = (head.status, head.headers);
            Ok(Exchange { status, headers, body, first_byte, whole: start.elapsed() })
        };
        Step::run(self.limit, sent).await.outcome
    }
}

impl Connection {
    async fn over(stream: TlsStream<Box<dyn Stream>>) -> Result<Self> {
        let failed = |error: hyper::Error| {
            Error::new(ErrorKind::Network, format!("no HTTP: {}", causes(&error)))
        };
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let stream = TokioIo::new(stream);
        Ok(if http2 {
            let (sender, connection) =
                http2::handshake(TokioExecutor::new(), stream).await.map_err(failed)?;
            tokio::spawn(connection);
            Self::Two(sender)
        } else {
            let (sender, connection) = http1::handshake(stream).await.map_err(failed)?;
            tokio::spawn(connection);
            Self::One(sender)
        })
    }
}

impl TlsFacts {
    fn of(stream: &TlsStream<Box<dyn Stream>>) -> Self {
        let connection = stream.get_ref().1;
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
    fn of(exchange: &Exchange) -> Self {
        let text = |name: &str| {
            exchange.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let date = text(DATE.as_str());
        Self {
            status: exchange.status.as_u16(),
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

fn no_tls(host: &str, error: &io::Error) -> Error {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match cause {
        Some(rustls::Error::InvalidCertificate(reason)) => {
            let reason = one_line(&reason.to_string());
            let text = format!("the certificate of {host} is not trusted: {reason}");
            Error::new(ErrorKind::Tls, text)
        }
        Some(other) => Error::new(ErrorKind::Tls, one_line(&other.to_string())),
        None => Error::new(ErrorKind::Network, format!("the connection broke: {}", causes(error))),
    }
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
