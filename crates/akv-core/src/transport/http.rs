//! The HTTP client that a process shares among its vaults and credentials.
//!
//! It uses hyper rather than the official client's own transport (reqwest), whose layers for
//! redirects, retries, cookies and URLs are not needed here and cost a third of a signature's
//! instructions: 260 000 with it, 175 000 without, as counted by callgrind.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use azure_core::{
    error::{Error, ErrorKind},
    http::{
        AsyncRawResponse, Body, HttpClient, Request,
        headers::{HeaderName, HeaderValue, Headers},
    },
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Uri,
    body::Incoming,
    header,
    http::uri::{Authority, Scheme},
};
use zeroize::Zeroizing;

#[cfg(feature = "probe")]
use super::connect::Observer;
use super::{connect::Connector, pool::Pool};
use crate::{Result, Settings, counters::Metrics};

/// Maximum size of a response in bytes. A page of keys has some ten thousand.
const MAX_BODY: usize = 1024 * 1024;

/// Sends requests over pooled connections and reads whole responses of limited size. Redirects are
/// not followed: they would send the token to a server that a response names.
#[derive(Clone)]
pub(crate) struct Http(Arc<Inner>);

struct Inner {
    connector: Connector,
    probe: Duration,
    servers: Mutex<HashMap<(Scheme, Authority), Server>>,
}

/// A client for one server.
#[derive(Clone)]
pub(crate) struct Server(Arc<Pool>);

impl Http {
    /// Creates the client. This opens no connection; connections are counted.
    ///
    /// # Errors
    /// A proxy's URL is invalid, or TLS cannot be set up.
    pub(crate) fn new(settings: &Settings, metrics: Arc<Metrics>) -> Result<Self> {
        let connector = Connector::new(settings, metrics, None)?;
        let probe = keepalive(settings);
        Ok(Self(Arc::new(Inner { connector, probe, servers: Mutex::default() })))
    }

    /// A client for the server of a URL.
    ///
    /// # Errors
    /// The URL names no server.
    pub(crate) fn server(&self, url: &Uri) -> azure_core::Result<Server> {
        let (scheme, authority) = parts(url)?;
        let Inner { connector, probe, servers } = &*self.0;
        let mut servers = servers.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(match servers.entry((scheme.clone(), authority.clone())) {
            Entry::Occupied(entry) => entry.get().clone(),
            Entry::Vacant(entry) => {
                let (scheme, authority) = entry.key().clone();
                entry.insert(Server::new(connector.clone(), scheme, authority, *probe)?).clone()
            }
        })
    }
}

impl Server {
    fn new(
        connector: Connector,
        scheme: Scheme,
        authority: Authority,
        probe: Duration,
    ) -> azure_core::Result<Self> {
        let pool = Pool::new(connector, scheme, authority, probe);
        Ok(Self(Arc::new(pool.map_err(|error| Error::new(ErrorKind::Other, error))?)))
    }

    /// A client for the server of a URL that shares no connection, for the `observer` of the
    /// connections that it opens.
    ///
    /// # Errors
    /// The URL names no server, a proxy's URL is invalid, or TLS cannot be set up.
    #[cfg(feature = "probe")]
    pub(crate) fn observed(
        settings: &Settings,
        observer: Arc<dyn Observer>,
        url: &Uri,
    ) -> Result<Self> {
        let connector = Connector::new(settings, Arc::default(), Some(observer))?;
        let server = parts(url).and_then(|(scheme, authority)| {
            Self::new(connector, scheme.clone(), authority.clone(), keepalive(settings))
        });
        server.map_err(|error| crate::Error::new(crate::ErrorKind::Internal, error.to_string()))
    }

    /// Sends a request to `url`, which is on this server, and reads the whole response.
    pub(crate) async fn exchange(
        &self,
        url: &Uri,
        request: hyper::Request<Full<Bytes>>,
    ) -> azure_core::Result<WholeResponse> {
        self.exchange_with(url, request, || ()).await
    }

    /// Does the same, and calls `on_head` when the head of the response has arrived.
    pub(crate) async fn exchange_with(
        &self,
        url: &Uri,
        request: hyper::Request<Full<Bytes>>,
        on_head: impl FnOnce(),
    ) -> azure_core::Result<WholeResponse> {
        let (response, _lease) = self.0.send(url, request).await?;
        on_head();
        let (head, body) = response.into_parts();
        Ok(WholeResponse { status: head.status, headers: head.headers, body: read(body).await? })
    }
}

/// How often an HTTP/2 connection is checked: a dead one must be detected while there is time to
/// try another one.
fn keepalive(settings: &Settings) -> Duration {
    settings.timeout() / 5
}

fn parts(url: &Uri) -> azure_core::Result<(&Scheme, &Authority)> {
    match (url.scheme(), url.authority()) {
        (Some(scheme), Some(authority)) => Ok((scheme, authority)),
        _ => Err(Error::with_message(ErrorKind::Other, "the URL has no host")),
    }
}

/// A complete response.
pub(crate) struct WholeResponse {
    pub(crate) status: hyper::StatusCode,
    pub(crate) headers: header::HeaderMap,
    pub(crate) body: Bytes,
}

impl WholeResponse {
    /// The headers with text values, as the official client's type.
    pub(crate) fn texts(&self) -> Headers {
        let headers: HashMap<HeaderName, HeaderValue> = self
            .headers
            .iter()
            .filter_map(|(name, value)| {
                let value = HeaderValue::from(value.to_str().ok()?.to_owned());
                Some((name.as_str().to_owned().into(), value))
            })
            .collect();
        Headers::from(headers)
    }
}

#[async_trait::async_trait]
impl HttpClient for Http {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let url = Uri::try_from(request.url().as_str())
            .map_err(|error| Error::new(ErrorKind::Other, error))?;
        let answer = self.server(&url)?.exchange(&url, into_hyper(request)?).await?;
        let (status, headers) = (answer.status.as_u16().into(), answer.texts());
        Ok(AsyncRawResponse::from_bytes(status, headers, answer.body))
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http")
    }
}

fn into_hyper(request: &Request) -> azure_core::Result<hyper::Request<Full<Bytes>>> {
    let wrong = |error: hyper::http::Error| Error::new(ErrorKind::Other, error);
    let body = match request.body() {
        Body::Bytes(bytes) => bytes.clone(),
        Body::SeekableStream(_) => {
            return Err(Error::with_message(
                ErrorKind::Other,
                "streaming request bodies are not supported",
            ));
        }
    };
    let mut built = hyper::Request::builder().method(request.method().as_str());
    for (name, value) in request.headers().iter() {
        let mut value =
            header::HeaderValue::try_from(value.as_str()).map_err(|e| wrong(e.into()))?;
        value.set_sensitive(name.as_str() == header::AUTHORIZATION.as_str());
        built = built.header(name.as_str(), value);
    }
    built.body(Full::new(body)).map_err(wrong)
}

/// The whole body, so that retries also cover broken bodies. A body in one piece is not copied.
/// Pieces are joined in a buffer that is wiped, since they may contain a decrypted text.
async fn read(mut body: Incoming) -> azure_core::Result<Bytes> {
    use hyper::body::Body as _;
    let mut first = Bytes::new();
    let mut bytes = Zeroizing::new(Vec::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Error::new(ErrorKind::Io, error))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + bytes.len() + data.len() > MAX_BODY {
            return Err(Error::with_message(
                ErrorKind::DataConversion,
                format!("the response is larger than {MAX_BODY} bytes"),
            ));
        }
        if first.is_empty() && bytes.is_empty() {
            first = data;
            continue;
        }
        if bytes.is_empty() {
            let left = usize::try_from(body.size_hint().lower()).unwrap_or(MAX_BODY).min(MAX_BODY);
            bytes = Zeroizing::new(Vec::with_capacity(first.len() + data.len() + left));
            append(&mut bytes, &std::mem::take(&mut first));
        }
        append(&mut bytes, &data);
    }
    Ok(if bytes.is_empty() { first } else { Bytes::from_owner(bytes) })
}

/// Appends without leaving a copy in the old buffer when the vector grows.
fn append(bytes: &mut Zeroizing<Vec<u8>>, data: &[u8]) {
    let needed = bytes.len() + data.len();
    if needed > bytes.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity((needed * 2).max(1024)));
        larger.extend_from_slice(bytes);
        *bytes = larger;
    }
    bytes.extend_from_slice(data);
}
