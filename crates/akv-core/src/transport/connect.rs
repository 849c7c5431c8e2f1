//! Connections: TCP with keepalive, an optional proxy, TLS.

use std::{
    error::Error as StdError,
    future::poll_fn,
    io,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use hyper::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::{
    legacy::connect::{HttpConnector, proxy::Tunnel},
    proxy::matcher::{Intercept, Matcher},
};
use rustls::client::danger::ServerCertVerifier;
use tower_service::Service;

use super::{
    resolve::Resolver,
    socket::{Place, Socket, Tcp},
    tls,
};
use crate::{Error, ErrorKind, Result, Settings, counters::Metrics};

pub(super) type BoxError = Box<dyn StdError + Send + Sync>;
/// A connection to the next hop: the server, or a proxy, which may itself use TLS.
pub(super) type Hop = MaybeHttpsStream<Socket>;
/// A connection to the server.
pub(super) type Stream = MaybeHttpsStream<Hop>;
type Connecting<T> = BoxFuture<'static, Result<T, BoxError>>;

/// Observes the steps of a connection, each when it ends.
pub(crate) trait Observer: Send + Sync {
    /// The name of the server, or of its proxy, was looked up. An IP address is not. Ports are 0.
    fn resolved(&self, addresses: &io::Result<Vec<SocketAddr>>);

    /// The server is reached, through the tunnel of a proxy if there is one. The address is that of
    /// the next hop.
    fn connected(&self, address: SocketAddr);

    /// TLS with the server is established.
    fn secured(&self, connection: &rustls::ClientConnection);

    /// Wraps the verifier of the server's certificate.
    fn verifier(
        self: Arc<Self>,
        verifier: Arc<dyn ServerCertVerifier>,
    ) -> Arc<dyn ServerCertVerifier>;
}

/// Opens connections within a time limit, and counts them.
#[derive(Clone)]
pub(super) struct Connector {
    https: HttpsConnector<Route>,
    limit: Duration,
    metrics: Arc<Metrics>,
    observer: Option<Arc<dyn Observer>>,
}

impl Connector {
    /// # Errors
    /// The proxy's URL is invalid, or TLS cannot be set up.
    pub(super) fn new(
        settings: &Settings,
        metrics: Arc<Metrics>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Self> {
        let values = settings.values();
        let failed = |error: rustls::Error| {
            Error::new(ErrorKind::Internal, format!("cannot set up TLS: {error}"))
        };
        let verifier = tls::verifier(&values.roots).map_err(failed)?;
        let to_proxy = tls::config(Arc::clone(&verifier)).map_err(failed)?;
        let to_server = match &observer {
            Some(observer) => {
                tls::config(Arc::clone(observer).verifier(verifier)).map_err(failed)?
            }
            None => to_proxy.clone(),
        };
        let resolver = Resolver::new(settings, observer.clone());
        let mut tcp = HttpConnector::new_with_resolver(resolver);
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // Half-dead connections have blocked clients for a quarter of an hour.
        tcp.set_keepalive(Some(Duration::from_secs(15)));
        tcp.set_keepalive_interval(Some(Duration::from_secs(5)));
        tcp.set_keepalive_retries(Some(3));
        tcp.set_tcp_user_timeout(Some(values.timeout / 3));
        let tcp = Tcp(tcp);
        let hop = HttpsConnectorBuilder::new()
            .with_tls_config(to_proxy)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp.clone());
        // Plain HTTP is for identity endpoints on this machine; the settings accept only https.
        let proxies = Arc::new(proxies(settings)?);
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(to_server)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(Route { tcp, hop, proxies, observer: observer.clone() });
        let limit = Duration::from_secs(5).min(values.timeout);
        Ok(Self { https, limit, metrics, observer })
    }

    /// Connects to the server that `destination` names.
    ///
    /// # Errors
    /// The resolver, the network, a proxy or TLS fails, or the time limit is reached.
    pub(super) async fn connect(&self, destination: Uri) -> Result<Stream, BoxError> {
        let mut https = self.https.clone();
        let connecting = async {
            poll_fn(|context| https.poll_ready(context)).await?;
            https.call(destination).await
        };
        let connection = tokio::time::timeout(self.limit, connecting)
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "operation timed out"))??;
        self.metrics.connection();
        if let Some(observer) = &self.observer
            && let MaybeHttpsStream::Https(tls) = &connection
        {
            observer.secured(tls.inner().get_ref().1);
        }
        Ok(connection)
    }
}

/// The descriptor of the socket under a connection.
pub(super) fn place(connection: &Stream) -> Place {
    match connection {
        MaybeHttpsStream::Http(hop) => socket(hop).place(),
        MaybeHttpsStream::Https(tls) => socket(tls.inner().get_ref().0.inner()).place(),
    }
}

fn socket(hop: &Hop) -> &Socket {
    match hop {
        MaybeHttpsStream::Http(socket) => socket,
        MaybeHttpsStream::Https(tls) => tls.inner().get_ref().0.inner(),
    }
}

/// The proxy of a server.
///
/// # Errors
/// The proxy's URL is invalid.
#[cfg(feature = "probe")]
pub(crate) fn proxy(settings: &Settings, destination: &Uri) -> Result<Option<Intercept>> {
    Ok(proxies(settings)?.intercept(destination))
}

/// The proxies that the environment named at load; it may have been cleared since.
fn proxies(settings: &Settings) -> Result<Matcher> {
    let environment = &settings.values().environment;
    let either = |upper, lower| environment.get(upper).or_else(|| environment.get(lower));
    let Some(proxy) = either("HTTPS_PROXY", "https_proxy") else {
        return Ok(Matcher::builder().build());
    };
    let exceptions = either("NO_PROXY", "no_proxy").unwrap_or_default();
    let matcher = Matcher::builder().https(proxy.to_owned()).no(exceptions.to_owned()).build();
    // Without exceptions this server uses the proxy, unless the proxy's URL was not parsed.
    let probe = Uri::from_static("https://vault.azure.net");
    let unexcepted = Matcher::builder().https(proxy.to_owned()).build();
    match unexcepted.intercept(&probe).and_then(|proxy| proxy.uri().scheme_str().map(str::len)) {
        Some(4 | 5) => Ok(matcher),
        _ => Err(Error::new(ErrorKind::Settings, "HTTPS_PROXY is not an http or https URL")),
    }
}

/// The route to a server: direct, or through a proxy's tunnel.
#[derive(Clone)]
struct Route {
    tcp: Tcp,
    hop: HttpsConnector<Tcp>,
    proxies: Arc<Matcher>,
    observer: Option<Arc<dyn Observer>>,
}

impl Service<Uri> for Route {
    type Response = Hop;
    type Error = BoxError;
    type Future = Connecting<Hop>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let connecting: Connecting<Hop> = match self.proxies.intercept(&destination) {
            Some(proxy) => self.tunnel(&proxy, destination),
            None => {
                let connecting = self.tcp.call(destination);
                Box::pin(async move { Ok(MaybeHttpsStream::Http(connecting.await?)) })
            }
        };
        let Some(observer) = self.observer.clone() else { return connecting };
        Box::pin(async move {
            let hop = connecting.await?;
            observer.connected(socket(&hop).peer_addr()?);
            Ok(hop)
        })
    }
}

impl Route {
    fn tunnel(&self, proxy: &Intercept, destination: Uri) -> Connecting<Hop> {
        let mut tunnel = Tunnel::new(proxy.uri().clone(), self.hop.clone());
        if let Some(authorization) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(authorization.clone());
        }
        let connecting = tunnel.call(destination);
        Box::pin(async move {
            connecting.await.map_err(|error| io::Error::other(ProxyError(error.into())).into())
        })
    }
}

/// A proxy failed, not the server behind it.
#[derive(Debug, thiserror::Error)]
#[error("cannot open a tunnel through the proxy in HTTPS_PROXY")]
struct ProxyError(#[source] BoxError);
