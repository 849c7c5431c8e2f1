//! Connections: TCP with keepalive, an optional proxy, TLS.

use super::{
    resolve::Resolver,
    socket::{Place, Socket, Tcp},
};
use crate::{Error, ErrorKind, Result, Settings, counters::Metrics};
use futures::future::BoxFuture;
use hyper::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::{
    legacy::connect::{HttpConnector, proxy::Tunnel},
    proxy::matcher::Matcher,
};
use std::{
    error::Error as StdError,
    future::poll_fn,
    io,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tower_service::Service;

pub(super) type BoxError = Box<dyn StdError + Send + Sync>;
/// A connection to the next hop: the server, or a proxy, which may itself use TLS.
pub(super) type Hop = MaybeHttpsStream<Socket>;
type Connecting<T> = BoxFuture<'static, Result<T, BoxError>>;

/// Opens connections within a time limit, and counts them.
#[derive(Clone)]
pub(super) struct Connector {
    https: HttpsConnector<Route>,
    limit: Duration,
    metrics: Arc<Metrics>,
}

impl Connector {
    /// # Errors
    /// The proxy's URL is invalid, or TLS cannot be set up.
    pub(super) fn new(settings: &Settings, metrics: Arc<Metrics>) -> Result<Self> {
        let values = settings.values();
        let tls = super::tls::config(&values.roots).map_err(|error| {
            Error::new(ErrorKind::Internal, format!("cannot set up TLS: {error}"))
        })?;
        let mut tcp = HttpConnector::new_with_resolver(Resolver::new(settings));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // Half-dead connections have blocked clients for a quarter of an hour.
        tcp.set_keepalive(Some(Duration::from_secs(15)));
        tcp.set_keepalive_interval(Some(Duration::from_secs(5)));
        tcp.set_keepalive_retries(Some(3));
        tcp.set_tcp_user_timeout(Some(values.timeout / 3));
        let tcp = Tcp(tcp);
        let hop = HttpsConnectorBuilder::new()
            .with_tls_config(tls.clone())
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp.clone());
        // Plain HTTP is for identity endpoints on this machine; the settings accept only https.
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(Route { tcp, hop, proxies: Arc::new(proxies(settings)?) });
        Ok(Self { https, limit: Duration::from_secs(5).min(values.timeout), metrics })
    }

    /// Connects to the server that `destination` names.
    ///
    /// # Errors
    /// The resolver, the network, a proxy or TLS fails, or the time limit is reached.
    pub(super) async fn connect(
        &self,
        destination: Uri,
    ) -> Result<MaybeHttpsStream<Hop>, BoxError> {
        let mut https = self.https.clone();
        let connecting = async {
            poll_fn(|context| https.poll_ready(context)).await?;
            https.call(destination).await
        };
        let connection = tokio::time::timeout(self.limit, connecting)
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "operation timed out"))??;
        self.metrics.connection();
        Ok(connection)
    }
}

/// The descriptor of the socket under a connection.
pub(super) fn place(connection: &MaybeHttpsStream<Hop>) -> Place {
    fn of_hop(hop: &Hop) -> Place {
        match hop {
            MaybeHttpsStream::Http(socket) => socket.place(),
            MaybeHttpsStream::Https(tls) => tls.inner().get_ref().0.inner().place(),
        }
    }
    match connection {
        MaybeHttpsStream::Http(hop) => of_hop(hop),
        MaybeHttpsStream::Https(tls) => of_hop(tls.inner().get_ref().0.inner()),
    }
}

/// The proxies that the environment named at load; it may have been cleared since.
pub(crate) fn proxies(settings: &Settings) -> Result<Matcher> {
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
        _ => Err(Error::new(
            ErrorKind::Settings,
            "HTTPS_PROXY is not the http or https URL of a proxy",
        )),
    }
}

/// The route to a server: direct, or through a proxy's tunnel.
#[derive(Clone)]
struct Route {
    tcp: Tcp,
    hop: HttpsConnector<Tcp>,
    proxies: Arc<Matcher>,
}

impl Service<Uri> for Route {
    type Response = Hop;
    type Error = BoxError;
    type Future = Connecting<Hop>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let Some(proxy) = self.proxies.intercept(&destination) else {
            let connecting = self.tcp.call(destination);
            return Box::pin(async move { Ok(MaybeHttpsStream::Http(connecting.await?)) });
        };
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
#[error("the proxy of HTTPS_PROXY gave no tunnel")]
struct ProxyError(#[source] BoxError);
