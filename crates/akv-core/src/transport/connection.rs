//! One connection: HTTP/1.1, for one request at a time, or HTTP/2, for many.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response, Uri,
    body::Incoming,
    client::conn::{TrySendError, http1, http2},
};
use hyper_util::{
    client::legacy::connect::Connection as _,
    rt::{TokioExecutor, TokioTimer},
};

use super::{
    connect::{self, BoxError, Connector},
    socket::Place,
};

pub(super) type Body = Full<Bytes>;

/// The handle that accepts requests. A task of the runtime does the I/O.
pub(super) enum Connection {
    Http1(http1::SendRequest<Body>, Place),
    Http2(http2::SendRequest<Body>, Place),
}

impl Connection {
    /// Connects to a server. HTTP/2 connections are probed while requests are in flight: a dead one
    /// must be detected while there is time to try another one.
    ///
    /// # Errors
    /// No connection was made within the limit, TLS failed, or the server's first HTTP/2 frames are
    /// invalid.
    pub(super) async fn open(
        connector: &Connector,
        server: Uri,
        probe: Duration,
    ) -> Result<Self, BoxError> {
        let stream = connector.connect(server).await?;
        let place = connect::place(&stream);
        if !stream.connected().is_negotiated_h2() {
            let (sender, connection) = http1::handshake(stream).await?;
            tokio::spawn(until_closed(connection));
            return Ok(Self::Http1(sender, place));
        }
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(probe)
            .keep_alive_timeout(probe)
            .handshake(stream)
            .await?;
        tokio::spawn(until_closed(connection));
        Ok(Self::Http2(sender, place))
    }

    /// Whether the server or the host has closed the connection.
    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Http1(sender, place) => sender.is_closed() || !place.is_ours(),
            Self::Http2(sender, place) => sender.is_closed() || !place.is_ours(),
        }
    }

    /// Another handle to the same connection, if it carries many requests at a time.
    pub(super) fn share(&self) -> Option<Self> {
        match self {
            Self::Http1(..) => None,
            Self::Http2(sender, place) => Some(Self::Http2(sender.clone(), *place)),
        }
    }

    /// Sends a request. The error returns the request if no byte of it was written.
    pub(super) async fn send(
        &mut self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Body>>> {
        match self {
            Self::Http1(sender, _) => sender.try_send_request(request).await,
            Self::Http2(sender, _) => sender.try_send_request(request).await,
        }
    }
}

async fn until_closed(connection: impl Future<Output = hyper::Result<()>>) {
    if let Err(error) = connection.await {
        tracing::debug!(%error, "connection lost");
    }
}
